//! Builds again with exactly the recorded inputs, and compares what comes out.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapters::rpmbuild::{self, BuildRequest, Built, Outcome};
use adapters::sandbox::Slot;
use adapters::{distgit, facets};
use model::build::{Build, BuildState};
use model::facet::FacetChange;
use model::removal::{Subject, SubjectKind};
use pipeline::affected::compare::compare;
use serde::Serialize;
use uuid::Uuid;

use super::builds::named;
use super::time::spoken;
use super::{Admin, AdminError, retention};
use crate::clock::mint;
use crate::context::Context;
use crate::reconcile::build::inputs;
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
            return writeln!(
                f,
                "build {build} ({nvr}) is reproducible: no facet differs (built again in {took})"
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
    /// [`AdminError::Input`] when the build has no outputs; [`AdminError::Outside`] when it cannot be repeated.
    pub async fn reproduce(&self, name: &str) -> Result<Reproduction, AdminError> {
        let build = named(&mut *self.store.read().await?, name).await?;
        if !matches!(build.state, BuildState::Succeeded { .. }) {
            return Err(AdminError::Input(format!(
                "build {} ({}) is {}: only one that succeeded can be compared",
                build.number,
                build.nvr,
                build.state.name()
            )));
        }
        self.with_context(async |context| compared(context, &build).await).await
    }
}

async fn compared(context: &Context, build: &Build) -> Result<Reproduction, AdminError> {
    let recorded = context.facts(build.id).await?;
    let recorded = recorded
        .ok_or_else(|| AdminError::Outside(format!("the outputs of {} are missing", build.nvr)))?;
    let log = context.config.builds_root().join(format!("{}.reproduced.log", build.id));
    let work = Work::make(context)?;
    let built = build_again(context, build, &work, log.clone()).await?;
    let again = facets::read(&built.rpms).await.map_err(AdminError::outside)?;
    Ok(Reproduction {
        build: build.number,
        nvr: build.nvr.to_string(),
        took_seconds: built.duration.as_secs_f64(),
        differences: compare(&recorded.facets, &again),
        log,
    })
}

async fn build_again(
    context: &Context,
    build: &Build,
    work: &Work,
    log: PathBuf,
) -> Result<Built, AdminError> {
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
        Outcome::Succeeded(built) => Ok(built),
        outcome => Err(AdminError::Outside(format!(
            "{} could not be built again: {}; see {}",
            build.nvr,
            said(&outcome),
            log.display()
        ))),
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
