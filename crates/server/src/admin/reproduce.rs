//! Builds again with exactly the recorded inputs, and compares what comes out.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapters::image::{self, Base, ImageRequest};
use adapters::rpmbuild::{self, BuildRequest, Outcome};
use adapters::sandbox::Slot;
use adapters::{distgit, facets};
use model::artifact::ArtifactKind;
use model::build::{Build, BuildState, Inputs, Product};
use model::digest::Digest;
use model::facet::{BuildFacets, FacetChange};
use model::removal::{Subject, SubjectKind};
use pipeline::affected::compare::compare;
use serde::Serialize;
use uuid::Uuid;

use super::builds::named;
use super::time::spoken;
use super::{Admin, AdminError, retention};
use crate::clock::mint;
use crate::context::Context;
use crate::reconcile::build::{Kept, contents_and_facets, image_request, inputs, recorded_inputs};
use crate::sourcing::{Work, repository};

/// How a repeated build compares with the recorded one.
#[derive(Clone, Debug, Serialize)]
pub struct Reproduction {
    /// The recorded build's public number.
    pub build: i64,
    /// Its NVR.
    pub nvr: String,
    /// How long the repetition took, in seconds.
    pub took_seconds: f64,
    /// The facets that differ; none if it is reproducible.
    pub differences: Vec<FacetChange>,
    /// Of an image, whether its manifest is the same, and so every bit of it. That is more than facets say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_manifest: Option<bool>,
    /// The log of the repetition.
    pub log: PathBuf,
}

impl Reproduction {
    /// Whether no facet differs.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Reproduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { build, nvr, differences, .. } = self;
        let took = spoken(Duration::from_secs_f64(self.took_seconds));
        if self.is_same() {
            let manifest = match self.same_manifest {
                Some(true) => ", and its manifest is the same",
                Some(false) => ", though its manifest is another",
                None => "",
            };
            return writeln!(
                f,
                "build {build} ({nvr}) is reproducible: no facet differs{manifest} (built again in {took})"
            );
        }
        writeln!(
            f,
            "build {build} ({nvr}) is not reproducible, {} facets differ:",
            differences.len()
        )?;
        for change in differences {
            writeln!(f, "  {change}")?;
            change.removed.iter().take(3).try_for_each(|line| writeln!(f, "    - {line}"))?;
            change.added.iter().take(3).try_for_each(|line| writeln!(f, "    + {line}"))?;
        }
        writeln!(f, "log {}", self.log.display())
    }
}

impl Admin {
    /// Builds a recorded build again, in isolation and from the same inputs, and compares the facets. Nothing is
    /// recorded, and nothing that is published is touched.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the build has no outputs, or is a compose, which has no facets;
    /// [`AdminError::Outside`] when it cannot be repeated.
    pub async fn reproduce(&self, name: &str) -> Result<Reproduction, AdminError> {
        let build = named(&mut *self.store.read().await?, name).await?;
        let (number, nvr) = (build.number, &build.nvr);
        if build.artifact.kind == ArtifactKind::Composes {
            return Err(AdminError::Input(format!(
                "build {number} ({nvr}) is a compose, which has no facets and is not made again: each of its \
                 deliverables has the digest of everything it is made of, and two with the same digest are the same"
            )));
        }
        if !matches!(build.state, BuildState::Succeeded { .. }) {
            let state = build.state.name();
            return Err(AdminError::Input(format!(
                "build {number} ({nvr}) is {state}: only one that succeeded can be compared"
            )));
        }
        self.with_context(async |context| compared(context, &build).await).await
    }
}

/// What came out when it was built again.
struct Again {
    took: Duration,
    facets: BuildFacets,
    /// Of an image.
    manifest: Option<Digest>,
}

async fn compared(context: &Context, build: &Build) -> Result<Reproduction, AdminError> {
    let missing = || AdminError::Outside(format!("the outputs of {} are missing", build.nvr));
    let recorded = context.facts(build.id).await?.ok_or_else(missing)?;
    let log = context.config.builds_root().join(format!("{}.reproduced.log", build.id));
    let work = Work::make(context)?;
    let again = match build.artifact.kind {
        ArtifactKind::Containers => image_again(context, build, &work, log.clone()).await?,
        _ => build_again(context, build, &work, log.clone()).await?,
    };
    let manifest = match context.output(build.id).await?.ok_or_else(missing)?.product {
        Product::Image(image) => Some(image.digest),
        _ => None,
    };
    Ok(Reproduction {
        build: build.number,
        nvr: build.nvr.to_string(),
        took_seconds: again.took.as_secs_f64(),
        differences: compare(&recorded.facets, &again.facets),
        same_manifest: manifest.map(|manifest| again.manifest == Some(manifest)),
        log,
    })
}

/// What went in has to be there still.
fn expect_kept<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), AdminError> {
    match files.into_iter().find(|file| !file.exists()) {
        None => Ok(()),
        Some(gone) => Err(AdminError::Outside(format!(
            "what it was built from cannot be laid out again: {} is not kept any more",
            gone.display()
        ))),
    }
}

async fn image_again(
    context: &Context,
    build: &Build,
    work: &Work,
    log: PathBuf,
) -> Result<Again, AdminError> {
    let content = context.content(&build.artifact, &build.commit).await?;
    let content = content.ok_or_else(|| AdminError::outside("its source is missing"))?;
    let Inputs::Image(inputs) = recorded_inputs(context, build).await? else {
        return Err(AdminError::outside("its inputs are those of something else"));
    };
    let place = context.running.enter(mint()).map_err(AdminError::outside)?;
    let place = place.ok_or_else(|| AdminError::outside("the same work is under way twice"))?;
    let output = work.folder().join("output");
    let kept = Kept { log: log.clone(), output, slot: place.slot };
    let request = image_request(context, build, (&content, &inputs), (work, kept)).await?;
    expect_kept(request.stages.iter().flat_map(|stage| &stage.packages))?;
    expect_kept(bases(&request))?;
    let job = image::start(request, context.toolchain.clone()).map_err(AdminError::outside)?;
    let problem =
        match job.wait().await.map_err(AdminError::outside)?.map_err(AdminError::outside)? {
            image::Outcome::Succeeded(built) => {
                let (_, facets) = contents_and_facets(context, build, &inputs, &built).await?;
                return Ok(Again { took: built.duration, facets, manifest: Some(built.digest) });
            }
            image::Outcome::Failed { line: Some(line), .. } => line.text,
            other => format!("{other:?}"),
        };
    Err(not_again(build, &problem, &log))
}

fn bases(request: &ImageRequest) -> impl Iterator<Item = &PathBuf> {
    request.stages.iter().filter_map(|stage| match &stage.base {
        Base::Image(folder) => Some(folder),
        _ => None,
    })
}

fn not_again(build: &Build, problem: &str, log: &std::path::Path) -> AdminError {
    let (nvr, log) = (&build.nvr, log.display());
    AdminError::Outside(format!("{nvr} could not be built again: {problem}; see {log}"))
}

async fn build_again(
    context: &Context,
    build: &Build,
    work: &Work,
    log: PathBuf,
) -> Result<Again, AdminError> {
    let inputs = inputs(context, build).await?;
    if let Some(file) = inputs.dependencies.iter().find(|file| !file.exists()) {
        return Err(AdminError::Outside(gone(context, file).await?));
    }
    let id: Uuid = mint();
    let place = context.running.enter(id).map_err(AdminError::outside)?;
    let place = place.ok_or_else(|| AdminError::outside("the same work is under way twice"))?;
    let source = repository(context, &build.artifact);
    distgit::export(&source, &build.commit, &work.tree()).await.map_err(AdminError::outside)?;
    let request = BuildRequest {
        work: work.folder().join("cell"),
        sources: work.tree(),
        spec_name: inputs.spec_name,
        dependencies: inputs.dependencies,
        dist: build.dist.clone(),
        with: inputs.with,
        source_date_epoch: inputs.source_date_epoch,
        limits: inputs.limits,
        log: log.clone(),
        slot: Slot { number: place.slot, ..Slot::default() },
        output: work.folder().join("output"),
    };
    let job = rpmbuild::start(request, context.toolchain.clone()).map_err(AdminError::outside)?;
    match job.wait().await.map_err(AdminError::outside)?.map_err(AdminError::outside)? {
        Outcome::Succeeded(built) => {
            let facets = facets::read(&built.rpms).await.map_err(AdminError::outside)?;
            Ok(Again { took: built.duration, facets, manifest: None })
        }
        outcome => Err(not_again(build, &said(&outcome), &log)),
    }
}

/// That a package of the buildroot is not there any more, and why, if that is known.
async fn gone(context: &Context, file: &Path) -> Result<String, AdminError> {
    let build = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let subject = Subject::new(SubjectKind::Outputs, build);
    let mut reader = context.store.read().await?;
    let told = retention::told(&mut reader, &context.config, &subject).await?;
    let why = told.unwrap_or_else(|| "it is not there any more".to_owned());
    Ok(format!("the buildroot cannot be laid out again: {}: {why}", file.display()))
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed { line: Some(line), .. } => line.text.clone(),
        Outcome::Failed { exit, line: None } => format!("rpmbuild ended with {exit}"),
        Outcome::TimedOut => "it took longer than it may".to_owned(),
        Outcome::OutOfMemory => "it needed more memory than it may".to_owned(),
        Outcome::TooManyProcesses => "it had more processes than it may".to_owned(),
        Outcome::DiskFull => "it filled its disk".to_owned(),
        Outcome::Cancelled => "it was ended".to_owned(),
        Outcome::Succeeded(_) => "it succeeded".to_owned(),
    }
}
