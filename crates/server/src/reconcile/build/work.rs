//! One attempt at one build, from the exported commit to the recorded facets.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters::rpmbuild::{self, BuildError, BuildRequest, Built, Outcome};
use adapters::sandbox::{Limits, Slot};
use adapters::{distgit, facets, packages};
use model::build::{
    Build, BuildOutput, BuildState, FacetsRef, Failure, FailureKind, Flavour, Inputs,
    PackagesOutput, Product,
};
use model::source::LimitSettings;
use store::builds::{self, Fence};
use store::sets;

use crate::context::Context;
use crate::reconcile::{Stage, StageError};
use crate::resolving::installed_files;
use crate::running::Place;
use crate::sourcing::{Work, repository};

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

/// What a build runs with, the same whenever it is run.
pub(crate) struct BuildInputs {
    /// The files of the buildroot.
    pub(crate) dependencies: Vec<PathBuf>,
    /// The spec's name.
    pub(crate) spec_name: String,
    /// `--with`
    pub(crate) with: Vec<String>,
    /// `SOURCE_DATE_EPOCH` where there is no changelog. A rebuild of the same commit has the same.
    pub(crate) source_date_epoch: i64,
    /// What it may use.
    pub(crate) limits: Limits,
}

/// Gathers what a build runs with.
pub(crate) async fn inputs(context: &Context, build: &Build) -> Result<BuildInputs, StageError> {
    let inputs: Option<Inputs> =
        sets::get_json(&mut *context.store.read().await?, build.inputs).await?;
    let inputs = inputs.ok_or_else(|| StageError::outside("the list of its inputs is missing"))?;
    let content = context.content(&build.artifact, &build.commit).await?;
    let content = content.ok_or_else(|| StageError::outside("its source is missing"))?;
    let with = match (build.flavour, content.bootstrap) {
        (Flavour::Bootstrap, Some(bootstrap)) => bootstrap.with,
        _ => Vec::new(),
    };
    Ok(BuildInputs {
        dependencies: installed_files(context, inputs.buildroot()).await?,
        spec_name: content.file,
        with,
        source_date_epoch: content.time,
        limits: limits(&context.config.build, &content.settings.build),
    })
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

/// Runs the builder.
async fn run(context: &Context, build: &Build, place: &Place) -> Result<BuildState, StageError> {
    let inputs = inputs(context, build).await?;
    let work = Work::make(context)?;
    distgit::export(&repository(context, &build.artifact), &build.commit, &work.tree())
        .await
        .map_err(StageError::outside)?;
    let output = context.config.builds_root().join(build.id.to_string());
    let request = BuildRequest {
        work: work.folder().join("cell"),
        sources: work.tree(),
        spec_name: inputs.spec_name,
        dependencies: inputs.dependencies,
        dist: build.dist.clone(),
        with: inputs.with,
        source_date_epoch: inputs.source_date_epoch,
        limits: inputs.limits,
        log: context.config.builds_root().join(format!("{}.log", build.id)),
        slot: Slot { number: place.slot, ..Slot::default() },
        output,
    };
    let job = rpmbuild::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    let outcome = match job.wait().await.map_err(StageError::outside)? {
        Err(BuildError::Dependencies { line }) => {
            return Ok(failed(context, FailureKind::Unresolvable, line, None));
        }
        other => other.map_err(StageError::outside)?,
    };
    ended(context, outcome).await
}

async fn ended(context: &Context, outcome: Outcome) -> Result<BuildState, StageError> {
    use FailureKind as K;
    Ok(match outcome {
        Outcome::Succeeded(built) => return succeeded(context, &built).await,
        Outcome::Failed { exit, line } => match line {
            Some(line) => failed(context, K::Failed, line.text, u64::try_from(line.number).ok()),
            None => failed(
                context,
                K::Failed,
                format!("rpmbuild ended with {exit} and said nothing"),
                None,
            ),
        },
        Outcome::TimedOut => {
            failed(context, K::TimedOut, "it took longer than it may".to_owned(), None)
        }
        Outcome::OutOfMemory => {
            failed(context, K::LimitExceeded, "it needed more memory than it may".to_owned(), None)
        }
        Outcome::TooManyProcesses => {
            failed(context, K::LimitExceeded, "it had more processes than it may".to_owned(), None)
        }
        Outcome::DiskFull => {
            failed(context, K::LimitExceeded, "it filled its disk".to_owned(), None)
        }
        Outcome::Cancelled => {
            BuildState::Cancelled { reason: "it was ended".to_owned(), at: context.clock.now() }
        }
    })
}

fn failed(context: &Context, kind: FailureKind, message: String, line: Option<u64>) -> BuildState {
    BuildState::Failed { failure: Failure { kind, message, line }, at: context.clock.now() }
}

/// Reads what the build put out and keeps it: packages, and facets by package.
async fn succeeded(context: &Context, built: &Built) -> Result<BuildState, StageError> {
    let read = packages::read(&built.rpms).await.map_err(StageError::outside)?;
    let found = facets::read(&built.rpms).await.map_err(StageError::outside)?;
    let requirements: Result<Vec<_>, _> =
        built.build_requires.iter().map(|text| text.parse()).collect();
    let mut tx = context.store.begin().await?;
    let mut references = Vec::new();
    for package in &found.0 {
        let digest = sets::put_json(&mut tx, package).await?;
        references.push(FacetsRef {
            package: package.package.clone(),
            arch: package.arch.clone(),
            digest,
        });
    }
    let name = built.srpm.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let product = Product::Packages(PackagesOutput {
        packages: read,
        source_package: name,
        build_requires: requirements.map_err(StageError::outside)?,
    });
    let output = BuildOutput { product, facets: references };
    let output = sets::put_json(&mut tx, &output).await?;
    tx.commit().await?;
    Ok(BuildState::Succeeded {
        took: built.duration,
        at: context.clock.now(),
        output,
        facets: found.digest(),
    })
}
