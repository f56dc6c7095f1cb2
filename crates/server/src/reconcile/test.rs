//! Queued test runs -> results. Several processes may do this at once.

mod compose;
mod image;
mod package;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters::distgit;
use adapters::sandbox::Limits;
use adapters::testing::{CaseOutcome, CaseResult};
use model::artifact::ArtifactKind;
use model::build::{Build, Failure, FailureKind};
use model::test::{Outcome, TestResult, TestRun, TestRunState};
use store::{builds, results, test_runs};

use super::build::limits;
use super::{Outcome as Look, Stage, StageError};
use crate::clock::mint;
use crate::context::Context;
use crate::running::Place;
use crate::sourcing::{Work, repository};

/// How often a run that failed by the machine's fault is repeated.
const ATTEMPTS: u32 = 3;

/// Starts runs while there is capacity and takes over those nobody works on.
pub(crate) async fn look(context: &Arc<Context>) -> Result<Look, StageError> {
    let running = test_runs::running(&mut *context.store.read().await?).await?;
    for run in &running {
        if let TestRunState::Running { owner, .. } = &run.state
            && context.is_given_up(owner, run.id.0)
        {
            take_over(context, run.clone()).await?;
        }
    }
    let free = context.config.tests.capacity.saturating_sub(running.len());
    let queued = test_runs::queued(
        &mut *context.store.read().await?,
        u32::try_from(free).unwrap_or(u32::MAX),
    )
    .await?;
    for run in queued {
        let Some(place) = context.running.enter(run.id.0).map_err(StageError::outside)? else {
            continue;
        };
        let mut tx = context.store.begin().await?;
        let now = context.clock.now();
        match test_runs::start(&mut tx, run.id, context.owner.name(), run.attempt, now).await {
            Ok(run) => {
                tx.commit().await?;
                spawn(context, run, place);
            }
            // Another process was first.
            Err(store::Error::Conflict(_)) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Look::Idle)
}

async fn take_over(context: &Arc<Context>, run: TestRun) -> Result<(), StageError> {
    let Some(place) = context.running.enter(run.id.0).map_err(StageError::outside)? else {
        return Ok(());
    };
    match again(context, run).await {
        Ok(run) => {
            tracing::info!(artifact = %run.artifact, attempt = run.attempt, "took over a test run nobody worked on");
            spawn(context, run, place);
            Ok(())
        }
        // Another process was first.
        Err(StageError::Store(store::Error::Conflict(_))) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn again(context: &Context, mut run: TestRun) -> Result<TestRun, StageError> {
    let since = context.clock.now();
    run.state = TestRunState::Running { owner: context.owner.name().to_owned(), since };
    run.attempt += 1;
    let mut tx = context.store.begin().await?;
    run.version = test_runs::update(&mut tx, &run, since).await?;
    tx.commit().await?;
    Ok(run)
}

fn spawn(context: &Arc<Context>, run: TestRun, place: Place) {
    let context = Arc::clone(context);
    tokio::spawn(async move {
        let artifact = run.artifact.clone();
        if let Err(error) = attempt(&context, run, &place).await {
            // Nothing is lost: it is ours and nobody works on it, so a later look takes it over.
            tracing::error!(%artifact, %error, "could not record how a test run ended");
        }
        drop(place);
        for stage in [Stage::Fate, Stage::Gate, Stage::Test] {
            context.wakes.wake(stage);
        }
    });
}

async fn attempt(context: &Context, mut run: TestRun, place: &Place) -> Result<(), StageError> {
    // Attempts that ended with their process say nothing about the machine, so only these are counted.
    for failures in 1.. {
        let ended = match execute(context, &run, place).await {
            Ok(cases) => Ok(cases),
            // That the database is away says nothing about the machine: whoever finds it back takes the run over.
            Err(StageError::Store(error)) if error.is_retryable() => return Err(error.into()),
            Err(error) if failures < ATTEMPTS => {
                tracing::warn!(artifact = %run.artifact, attempt = run.attempt, %error, "will be attempted again");
                tokio::time::sleep(Duration::from_secs(u64::from(failures))).await;
                run = again(context, run).await?;
                continue;
            }
            Err(error) => {
                Err(Failure { kind: FailureKind::Errored, message: error.to_string(), line: None })
            }
        };
        return record(context, run, ended).await;
    }
    Ok(())
}

/// Runs every case of the artifact's kind.
async fn execute(
    context: &Context,
    run: &TestRun,
    place: &Place,
) -> Result<Vec<CaseResult>, StageError> {
    let build = builds::get(&mut *context.store.read().await?, run.build).await?;
    let build = build.ok_or_else(|| StageError::outside("its build is missing"))?;
    match build.artifact.kind {
        ArtifactKind::Rpms => package::execute(context, run, &build, place).await,
        ArtifactKind::Containers => image::execute(context, run, &build, place).await,
        ArtifactKind::Composes => compose::execute(context, run, &build).await,
    }
}

/// What a build may be tested with: its own cases, and what they may use.
struct Bench {
    /// Holds the exported tree as long as the run needs it.
    work: Work,
    /// The folder of cases, if there is one.
    tests: Option<PathBuf>,
    limits: Limits,
}

/// Exports the commit that was built, for the cases in its `tests/`.
async fn bench(context: &Context, build: &Build) -> Result<Bench, StageError> {
    let content = context.content(&build.artifact, &build.commit).await?;
    let settings = content.map(|content| content.settings).unwrap_or_default();
    let work = Work::make(context)?;
    distgit::export(&repository(context, &build.artifact), &build.commit, &work.tree())
        .await
        .map_err(StageError::outside)?;
    let tests = work.tree().join("tests");
    Ok(Bench {
        tests: tests.is_dir().then_some(tests),
        limits: limits(&context.config.tests, &settings.tests),
        work,
    })
}

/// Where the logs of a run are kept.
pub(crate) fn logs(context: &Context, run: &TestRun) -> PathBuf {
    context.config.test_logs_root().join(run.id.to_string())
}

/// Keeps trying while the database is away: a finished run is worth waiting for.
async fn record(
    context: &Context,
    run: TestRun,
    ended: Result<Vec<CaseResult>, Failure>,
) -> Result<(), StageError> {
    let at = context.clock.now();
    let (state, cases) = match ended {
        Ok(cases) => (TestRunState::Finished { at }, cases),
        Err(failure) => (TestRunState::Errored { failure, at }, Vec::new()),
    };
    let results: Vec<TestResult> = cases.into_iter().map(|case| result(&run, case, at)).collect();
    let run = TestRun { state, ..run };
    loop {
        match write(context, &run, &results).await {
            Err(error) if error.is_retryable() => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(store::Error::Conflict(problem)) => {
                tracing::info!(artifact = %run.artifact, problem, "the report came too late and does not count");
                return Ok(());
            }
            other => return Ok(other?),
        }
    }
}

async fn write(
    context: &Context,
    run: &TestRun,
    results: &[TestResult],
) -> Result<(), store::Error> {
    let mut tx = context.store.begin().await?;
    test_runs::update(&mut tx, run, context.clock.now()).await?;
    results::insert_many(&mut tx, results).await?;
    tx.commit().await
}

fn result(run: &TestRun, case: CaseResult, at: model::clock::Timestamp) -> TestResult {
    let (outcome, note) = match case.outcome {
        CaseOutcome::Passed => (Outcome::Passed, String::new()),
        CaseOutcome::Failed { line } => (Outcome::Failed, line),
        CaseOutcome::Errored { reason } => (Outcome::Error, reason),
        CaseOutcome::TimedOut => (Outcome::Failed, "it took longer than it may".to_owned()),
    };
    TestResult {
        id: mint(),
        run: Some(run.id),
        artifact: run.artifact.clone(),
        build: run.build,
        case: case.case,
        outcome,
        note,
        at,
    }
}
