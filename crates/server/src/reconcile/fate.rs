//! Ended builds and test runs -> the states of their steps, and from these what every other step does.

use model::build::{Build, BuildState, Failure, FailureKind};
use model::decision::DecisionKind;
use model::step::StepState;
use model::test::TestRunState;
use pipeline::progress;
use store::leases::{self, Lease};
use store::{builds, test_runs};

use super::{Outcome, Stage, StageError};
use crate::context::Context;
use crate::view::{self, View};

/// Moves every plan under way as far as what is known allows.
///
/// What ended and what follows from it is stored at once: nobody may take a cycle for built whose next round is only
/// about to be decided.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let mut outcome = Outcome::Idle;
    for mut view in view::started(context).await? {
        collect(context, &mut view).await?;
        if view.is_changed() {
            view.learn(context).await?;
        }
        if decide(context, &mut view)? {
            store(context, lease, &mut view).await?;
            outcome = Outcome::Busy;
        }
    }
    if outcome == Outcome::Busy {
        for stage in [Stage::Schedule, Stage::Gate, Stage::Publish] {
            context.wakes.wake(stage);
        }
    }
    Ok(outcome)
}

/// Decides until nothing more follows; whether anything is to be stored.
fn decide(context: &Context, view: &mut View) -> Result<bool, StageError> {
    loop {
        let changes = progress::decide(&view.progress());
        if changes.is_empty() {
            return Ok(view.is_changed());
        }
        for change in changes {
            view.apply(context, change)?;
        }
    }
}

async fn store(context: &Context, lease: &Lease, view: &mut View) -> Result<(), StageError> {
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    view.store(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// Takes over how builds and test runs ended.
async fn collect(context: &Context, view: &mut View) -> Result<(), StageError> {
    for index in 0..view.steps.len() {
        let next = match &view.steps[index].state {
            StepState::Building { build } => {
                let build = builds::get(&mut *context.store.read().await?, *build).await?;
                build.and_then(|build| after_build(&build))
            }
            StepState::Testing { run } => {
                let found = test_runs::get(&mut *context.store.read().await?, *run).await?;
                let over = |run: &model::test::TestRun| {
                    matches!(
                        run.state,
                        TestRunState::Finished { .. } | TestRunState::Errored { .. }
                    )
                };
                found.filter(over).map(|run| StepState::Retested { run: run.id })
            }
            _ => None,
        };
        let Some(next) = next else { continue };
        if let StepState::Failed { failure, .. } = &next {
            let words = (failure.to_string(), serde_json::json!(failure));
            view.note(context, DecisionKind::Failed, Some(index), words);
        }
        view.enter(context, index, next)?;
    }
    Ok(())
}

fn after_build(build: &Build) -> Option<StepState> {
    match &build.state {
        BuildState::Queued | BuildState::Running { .. } => None,
        BuildState::Succeeded { .. } => Some(StepState::Built { build: build.id }),
        BuildState::Failed { failure, .. } => {
            Some(StepState::Failed { build: Some(build.id), failure: failure.clone() })
        }
        BuildState::Cancelled { reason, .. } => {
            let failure = Failure {
                kind: FailureKind::Errored,
                message: format!("cancelled: {reason}"),
                line: None,
            };
            Some(StepState::Failed { build: Some(build.id), failure })
        }
    }
}
