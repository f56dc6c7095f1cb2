//! One attempt at one build, from the exported commit to the recorded facets.

mod compose;
mod image;
mod package;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters::distgit;
use adapters::sandbox::Limits;
use model::artifact::ArtifactKind;
use model::build::{
    Build, BuildOutput, BuildState, FacetsRef, Failure, FailureKind, Inputs, Product,
};
use model::facet::BuildFacets;
use model::source::LimitSettings;
use store::builds::{self, Fence};
use store::sets;

use crate::context::Context;
use crate::reconcile::{Stage, StageError};
use crate::running::Place;
use crate::sourcing::{Work, repository};

pub(crate) use image::{Kept, LAYOUT, contents_and_facets, request as image_request};
pub(crate) use package::inputs;

/// How often an attempt that failed by the machine's fault is repeated.
const ATTEMPTS: u32 = 3;

/// Works on a build in the background and records how it ended.
pub(super) fn spawn(context: &Arc<Context>, build: Build, place: Place) {
    let context = Arc::clone(context);
    tokio::spawn(async move {
        let number = build.number;
        if let Err(error) = attempt(&context, build, &place).await {
            // Nothing is lost: it is ours and nobody works on it, so a later look takes it over.
            tracing::error!(build = number, %error, "could not record how a build ended");
        }
        drop(place);
        context.wakes.wake(Stage::Fate);
        context.wakes.wake(Stage::Build);
    });
}

async fn attempt(context: &Context, mut build: Build, place: &Place) -> Result<(), StageError> {
    // Attempts that ended with their process say nothing about the machine, so only these are counted.
    for failures in 1.. {
        let state = match run(context, &build, place).await {
            Ok(state) => state,
            // That the database is away says nothing about the machine: whoever finds it back takes the build over.
            Err(StageError::Store(error)) if error.is_retryable() => return Err(error.into()),
            Err(error) if failures < ATTEMPTS => {
                tracing::warn!(build = build.number, attempt = build.attempt, %error, "will be attempted again");
                tokio::time::sleep(Duration::from_secs(u64::from(failures))).await;
                build = again(context, build).await?;
                continue;
            }
            Err(error) => failed(context, FailureKind::Errored, error.to_string(), None),
        };
        return record(context, &build, state).await;
    }
    Ok(())
}

/// Another attempt, by this process.
pub(super) async fn again(context: &Context, mut build: Build) -> Result<Build, StageError> {
    let now = context.clock.now();
    let next = BuildState::Running { owner: context.owner.name().to_owned(), since: now };
    build.state = build.state.enter(next).map_err(StageError::outside)?;
    build.attempt += 1;
    let mut tx = context.store.begin().await?;
    build.version = builds::update(&mut tx, &build, now).await?;
    tx.commit().await?;
    Ok(build)
}

/// Keeps trying while the database is away: a finished build is worth waiting for.
async fn record(context: &Context, build: &Build, state: BuildState) -> Result<(), StageError> {
    let fence =
        Fence { build: build.id, owner: context.owner.name().to_owned(), attempt: build.attempt };
    loop {
        match write(context, &fence, state.clone()).await {
            Err(error) if error.is_retryable() => {
                tracing::warn!(build = build.number, %error, "will be recorded later");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(store::Error::Conflict(problem)) => {
                tracing::info!(
                    build = build.number,
                    problem,
                    "the report came too late and does not count"
                );
                return Ok(());
            }
            other => return Ok(other?),
        }
    }
}

async fn write(context: &Context, fence: &Fence, state: BuildState) -> Result<(), store::Error> {
    let mut tx = context.store.begin().await?;
    builds::finish(&mut tx, fence, state, context.clock.now()).await?;
    tx.commit().await
}

/// Runs the builder of its kind.
async fn run(context: &Context, build: &Build, place: &Place) -> Result<BuildState, StageError> {
    match build.artifact.kind {
        ArtifactKind::Rpms => package::run(context, build, place).await,
        ArtifactKind::Containers => image::run(context, build, place).await,
        ArtifactKind::Composes => compose::run(context, build).await,
    }
}

/// Exports the commit of a build into a work folder.
async fn export(context: &Context, build: &Build, work: &Work) -> Result<(), StageError> {
    distgit::export(&repository(context, &build.artifact), &build.commit, &work.tree())
        .await
        .map_err(StageError::outside)
}

/// The server's limits, or less where the artifact asks for less.
pub(crate) fn limits(server: &crate::config::Limits, own: &LimitSettings) -> Limits {
    let seconds = own.timeout_seconds.map(Duration::from_secs);
    let memory_mb = own.memory_mb.unwrap_or(server.memory_mb).min(server.memory_mb);
    Limits {
        wall: seconds.unwrap_or(server.timeout_seconds).min(server.timeout_seconds),
        memory_bytes: memory_mb << 20,
        processes: u32::try_from(server.processes).unwrap_or(u32::MAX),
        disk_bytes: server.disk_mb << 20,
    }
}

/// Where the log of a build is.
fn log(context: &Context, build: &Build) -> PathBuf {
    context.config.builds_root().join(format!("{}.log", build.id))
}

/// The folder that is there when, and only when, the build has succeeded.
fn output(context: &Context, build: &Build) -> PathBuf {
    context.config.builds_root().join(build.id.to_string())
}

/// What went into a build.
pub(crate) async fn recorded_inputs(
    context: &Context,
    build: &Build,
) -> Result<Inputs, StageError> {
    let inputs: Option<Inputs> =
        sets::get_json(&mut *context.store.read().await?, build.inputs).await?;
    inputs.ok_or_else(|| StageError::outside("the list of its inputs is missing"))
}

/// Keeps what a build made, with the facets of each package or image.
async fn keep(
    context: &Context,
    took: Duration,
    product: Product,
    facets: &BuildFacets,
) -> Result<BuildState, StageError> {
    let mut tx = context.store.begin().await?;
    let mut references = Vec::new();
    for package in &facets.0 {
        let digest = sets::put_json(&mut tx, package).await?;
        references.push(FacetsRef {
            package: package.package.clone(),
            arch: package.arch.clone(),
            digest,
        });
    }
    let output = BuildOutput { product, facets: references };
    let output = sets::put_json(&mut tx, &output).await?;
    tx.commit().await?;
    Ok(BuildState::Succeeded { took, at: context.clock.now(), output, facets: facets.digest() })
}

/// What a build came to that used up what it may use, or was ended.
#[derive(Clone, Copy)]
enum Exceeded {
    Time,
    Memory,
    Processes,
    Disk,
}

fn exceeded(context: &Context, what: Exceeded) -> BuildState {
    use FailureKind as K;
    let (kind, message) = match what {
        Exceeded::Time => (K::TimedOut, "it took longer than it may"),
        Exceeded::Memory => (K::LimitExceeded, "it needed more memory than it may"),
        Exceeded::Processes => (K::LimitExceeded, "it had more processes than it may"),
        Exceeded::Disk => (K::LimitExceeded, "it filled its disk"),
    };
    failed(context, kind, message.to_owned(), None)
}

fn cancelled(context: &Context) -> BuildState {
    BuildState::Cancelled { reason: "it was ended".to_owned(), at: context.clock.now() }
}

fn failed(context: &Context, kind: FailureKind, message: String, line: Option<u64>) -> BuildState {
    BuildState::Failed { failure: Failure { kind, message, line }, at: context.clock.now() }
}
