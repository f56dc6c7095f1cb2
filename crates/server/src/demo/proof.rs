//! The proof that leaving alone is sound: every package and image is built once more, and its facets are compared.
//!
//! What is published is built from its own commit in a root of what is published now, with another release. Nothing of
//! it is recorded. If an artifact was rightly left alone, that build has the facets of the published one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use adapters::rpmbuild::{self, BuildRequest, Outcome};
use adapters::sandbox::Slot;
use adapters::{distgit, facets, image};
use model::artifact::{ArtifactKey, ArtifactKind};
use model::build::{Build, Buildroot, Inputs, InstalledPackage};
use model::digest::Digest;
use model::facet::BuildFacets;
use model::id::BuildId;
use model::image::ImageInputs;
use model::requirement::Requirement;
use model::source::{Recipe, SourceContent};
use pipeline::affected::compare::compare;
use serde::Serialize;
use store::builds;
use tokio::task::JoinSet;

use super::Told;
use super::distribution::BRANCH;
use crate::admin::AdminError;
use crate::clock::mint;
use crate::context::Context;
use crate::reconcile::StageError;
use crate::reconcile::build::{Kept, contents_and_facets, image_request, limits, recorded_inputs};
use crate::reconcile::schedule::image_inputs;
use crate::resolving::{self, Repository, Resolution};
use crate::running::Place;
use crate::sourcing::{Work, repository};
use crate::view::Overlay;

/// What follows the branch's dist tag: a release that no rebuild reaches.
const BUMP: &str = ".999";

/// What was built once more, and how it differs from what is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Built in the very root of the published build, so that the release is all that differs.
    pub bumped: BTreeSet<ArtifactKey>,
    /// Built in a root with newer packages than that of the published build.
    pub renewed: BTreeSet<ArtifactKey>,
    /// Not built: an earlier proof was of the same published build in the same root, bit by bit.
    pub known: BTreeSet<ArtifactKey>,
    /// What came out otherwise, each with its differing facets.
    pub differing: BTreeMap<ArtifactKey, Vec<String>>,
}

/// What earlier proofs have shown.
#[derive(Default)]
pub(super) struct Proven {
    /// The inputs of the last proof of each artifact.
    inputs: BTreeMap<ArtifactKey, Digest>,
    /// The builds that came out the same with another release.
    bumped: BTreeSet<BuildId>,
}

/// One build to come.
struct Task {
    build: Build,
    content: SourceContent,
    inputs: Inputs,
    /// Whether these are the inputs of the published build.
    same_root: bool,
}

/// Builds everything that is published once more, where its inputs are not those of an earlier proof.
pub(super) async fn prove(
    context: &Arc<Context>,
    proven: &mut Proven,
    tell: &mut (dyn FnMut(Told<'_>) + Send),
) -> Result<Proof, AdminError> {
    let branch = BRANCH.parse().map_err(AdminError::input)?;
    let published = context.published.current(&context.store, &branch).await?;
    let overlay = Overlay { builds: published.builds.clone() };
    let repository = resolving::repository(context, &overlay).await?;
    let mut proof = Proof::default();
    let mut open = Vec::new();
    // A compose has no facets: what it reuses is decided by the digests of everything that goes in.
    let built = published.builds.iter().filter(|(key, _)| key.kind != ArtifactKind::Composes);
    for (artifact, build) in built {
        match tasks(context, (&overlay, &repository), proven, *build).await? {
            Err(problem) => {
                // What is published must be possible to build with what is published.
                proof.differing.insert(artifact.clone(), vec![problem]);
            }
            Ok(tasks) if tasks.is_empty() => {
                proof.known.insert(artifact.clone());
            }
            Ok(tasks) => open.extend(tasks),
        }
    }
    run_all(context, open, &mut proof, tell).await?;
    Ok(proof)
}

/// What is to be built for a published build: with what it would be built with now, unless that was done before, and
/// once with exactly what it was built with.
async fn tasks(
    context: &Context,
    around: (&Overlay, &Repository),
    proven: &mut Proven,
    build: BuildId,
) -> Result<Result<Vec<Task>, String>, StageError> {
    let mut reader = context.store.read().await?;
    let lost = |what: &str| StageError::outside(format!("the {what} of build {build} is missing"));
    let build = builds::get(&mut reader, build).await?.ok_or_else(|| lost("record"))?;
    drop(reader);
    let recorded = recorded_inputs(context, &build).await?;
    let content = context.content(&build.artifact, &build.commit).await?;
    let content = content.ok_or_else(|| lost("source"))?;
    let present = match present(context, &build, &content, around).await? {
        Ok(present) => present,
        Err(problems) => return Ok(Err(problems.join("; "))),
    };
    let root = root(&present);
    let same_root = root == self::root(&recorded);
    let fields = [build.id.to_string(), build.commit.to_string(), root.to_string()];
    let input = Digest::of_fields(fields);
    let task = |inputs, same_root| Task {
        build: build.clone(),
        content: content.clone(),
        inputs,
        same_root,
    };
    let mut tasks = Vec::new();
    if proven.inputs.insert(build.artifact.clone(), input) != Some(input) {
        tasks.push(task(present, same_root));
    }
    // Most are published with the root that is the present one; a member of a cycle was built with an earlier round.
    if proven.bumped.insert(build.id) && !same_root {
        tasks.push(task(recorded, true));
    }
    Ok(Ok(tasks))
}

/// What it would be built with now.
async fn present(
    context: &Context,
    build: &Build,
    content: &SourceContent,
    (overlay, repository): (&Overlay, &Repository),
) -> Result<Result<Inputs, Vec<String>>, StageError> {
    if let Recipe::Image(recipe) = &content.recipe {
        return image_inputs(context, &build.artifact, recipe, (overlay, repository)).await;
    }
    let wishes = content.build_requires.iter().map(Requirement::to_string).collect();
    let resolved = resolving::resolve(context, repository, wishes, &content.build_requires).await?;
    Ok(match resolved {
        Resolution::Installed(installed) => Ok(Inputs::Buildroot(Buildroot(installed))),
        Resolution::Problems(problems) => Err(problems),
    })
}

/// The identity of what goes in.
fn root(inputs: &Inputs) -> Digest {
    let Inputs::Image(image) = inputs else { return resolving::identity(inputs.buildroot()) };
    let stages = image.stages.iter().map(|stage| {
        let base = stage.base.map(|base| base.to_string()).unwrap_or_default();
        format!("{base} {}", resolving::identity(&stage.install))
    });
    Digest::of_fields(stages)
}

/// Builds with as much at once as the server builds.
async fn run_all(
    context: &Arc<Context>,
    tasks: Vec<Task>,
    proof: &mut Proof,
    tell: &mut (dyn FnMut(Told<'_>) + Send),
) -> Result<(), AdminError> {
    let total = tasks.len();
    let mut waiting = tasks.into_iter();
    let mut running = JoinSet::new();
    let mut done = 0;
    loop {
        while running.len() < context.config.build.capacity
            && let Some(task) = waiting.next()
        {
            let context = Arc::clone(context);
            running.spawn(async move { (differences(&context, &task).await, task) });
        }
        tell(Told::Proving(done, total));
        let Some(ended) = running.join_next().await else { return Ok(()) };
        let (differences, task) = ended.map_err(AdminError::outside)?;
        let artifact = task.build.artifact;
        let differences = differences?;
        if !differences.is_empty() {
            proof.differing.entry(artifact.clone()).or_default().extend(differences);
        }
        match task.same_root {
            true => proof.bumped.insert(artifact),
            false => proof.renewed.insert(artifact),
        };
        done += 1;
    }
}

/// Builds once more and compares. That it cannot be built is a difference too.
async fn differences(context: &Context, task: &Task) -> Result<Vec<String>, StageError> {
    let published = context.facts(task.build.id).await?;
    let published =
        published.ok_or_else(|| StageError::outside("a published build has no outputs"))?;
    let again = match &task.inputs {
        Inputs::Image(inputs) => image(context, task, inputs).await?,
        inputs => build(context, task, inputs.buildroot()).await?,
    };
    Ok(match again {
        Ok(again) => compare(&published.facets, &again).iter().map(ToString::to_string).collect(),
        Err(problem) => vec![problem],
    })
}

/// An image names its release in its labels, as a package does.
async fn image(
    context: &Context,
    task: &Task,
    inputs: &ImageInputs,
) -> Result<Result<BuildFacets, String>, StageError> {
    let place = enter(context)?;
    let work = Work::make(context)?;
    let mut again = task.build.clone();
    again.nvr.evr.release.push_str(BUMP);
    let (log, output) = (work.folder().join("log"), work.folder().join("output"));
    let kept = Kept { log, output, slot: place.slot };
    let request = image_request(context, &again, (&task.content, inputs), (&work, kept)).await?;
    let job = image::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    match job.wait().await.map_err(StageError::outside)?.map_err(StageError::outside)? {
        image::Outcome::Succeeded(built) => {
            Ok(Ok(contents_and_facets(context, &again, inputs, &built).await?.1))
        }
        other => Ok(Err(format!("it cannot be built any more: {other:?}"))),
    }
}

fn enter(context: &Context) -> Result<Place, StageError> {
    let place = context.running.enter(mint()).map_err(StageError::outside)?;
    place.ok_or_else(|| StageError::outside("the same work is under way twice"))
}

async fn build(
    context: &Context,
    task: &Task,
    installed: &[InstalledPackage],
) -> Result<Result<BuildFacets, String>, StageError> {
    let Task { build, content, .. } = task;
    let place = enter(context)?;
    let work = Work::make(context)?;
    distgit::export(&repository(context, &build.artifact), &build.commit, &work.tree())
        .await
        .map_err(StageError::outside)?;
    let request = BuildRequest {
        work: work.folder().join("cell"),
        sources: work.tree(),
        spec_name: content.file.clone(),
        dependencies: resolving::installed_files(context, installed).await?,
        dist: format!("{}{BUMP}", context.config.dist(BRANCH)),
        with: Vec::new(),
        source_date_epoch: content.time,
        limits: limits(&context.config.build, &content.settings.build),
        log: work.folder().join("log"),
        slot: Slot { number: place.slot, ..Slot::default() },
        output: work.folder().join("output"),
    };
    let job = rpmbuild::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    match job.wait().await.map_err(StageError::outside)?.map_err(StageError::outside)? {
        Outcome::Succeeded(built) => {
            Ok(Ok(facets::read(&built.rpms).await.map_err(StageError::outside)?))
        }
        other => Ok(Err(format!("it cannot be built any more: {other:?}"))),
    }
}
