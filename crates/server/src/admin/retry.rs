//! Goes on where something stopped: failed builds are attempted again, refused gates get new test runs.
//!
//! Nothing that succeeded is repeated. What only a person or a new commit can resolve, a removed test or a cycle that
//! does not settle, stays as it is and is named.

use std::collections::BTreeSet;
use std::fmt;

use model::artifact::ArtifactKey;
use model::build::BuildState;
use model::gate::{Objection, ObjectionKind};
use model::id::{BuildId, TestRunId};
use model::plan::{NumberedPlan, Plan};
use model::step::{Step, StepState};
use model::test::{TestRun, TestRunState};
use serde::Serialize;
use store::{Page, Tx, builds, plans, steps, test_runs};
use utoipa::ToSchema;

use super::gates::newest_run;
use super::ledger::intervened;
use super::{Admin, AdminError, Signature};

/// What is to be tried again.
#[derive(Clone, Debug)]
pub struct RetryRequest {
    /// In this plan only.
    pub plan: Option<i64>,
    /// Of this artifact only.
    pub artifact: Option<ArtifactKey>,
    /// Only steps that failed; those whose gate refuses them are left.
    pub failed_only: bool,
    /// Who, and why.
    pub signature: Signature,
}

/// What is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Retried {
    /// The artifacts that are built again.
    pub builds: Vec<ArtifactKey>,
    /// The artifacts that are tested again.
    pub tests: Vec<ArtifactKey>,
    /// What stays as it is, and why.
    pub left: Vec<String>,
}

impl Retried {
    /// Whether anything is tried again.
    pub fn is_any(&self) -> bool {
        !self.builds.is_empty() || !self.tests.is_empty()
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_any() {
            writeln!(f, "nothing can be tried again")?;
        }
        self.builds.iter().try_for_each(|artifact| writeln!(f, "{artifact} is built again"))?;
        self.tests.iter().try_for_each(|artifact| writeln!(f, "{artifact} is tested again"))?;
        self.left.iter().try_for_each(|sentence| writeln!(f, "left: {sentence}"))
    }
}

/// A plan whose stopped steps are set going.
struct Stopped<'a> {
    plan: &'a Plan,
    steps: Vec<Step>,
    /// The runs it has queued: one run may count for several gates.
    queued: BTreeSet<TestRunId>,
}

impl Admin {
    /// Tries again what failed, and has tested again what refused gates object to.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is no such plan or nobody signs it.
    pub async fn retry(&self, request: &RetryRequest) -> Result<Retried, AdminError> {
        request.signature.check()?;
        self.write(async |tx| {
            let mut retried = Retried::default();
            for found in self.open_plans(tx, request).await? {
                self.retry_plan(tx, request, &found.plan, &mut retried).await?;
            }
            Ok(retried)
        })
        .await
    }

    async fn open_plans(
        &self,
        tx: &mut Tx,
        request: &RetryRequest,
    ) -> Result<Vec<NumberedPlan>, AdminError> {
        if let Some(number) = request.plan {
            return Ok(vec![self.as_seen(tx, number, &request.signature).await?]);
        }
        let heads = plans::list(tx, None, true, Page::first(1000)).await?;
        let ids: Vec<_> = heads.iter().map(|head| head.id).collect();
        Ok(plans::get_many(tx, &ids).await?)
    }

    async fn retry_plan(
        &self,
        tx: &mut Tx,
        request: &RetryRequest,
        plan: &Plan,
        retried: &mut Retried,
    ) -> Result<(), AdminError> {
        let steps = steps::of_plan(tx, plan.id).await?;
        let mut stopped = Stopped { plan, steps, queued: BTreeSet::new() };
        for index in 0..stopped.steps.len() {
            let artifact = &plan.steps[index].artifact;
            if request.artifact.as_ref().is_some_and(|wanted| wanted != artifact) {
                continue;
            }
            let tried = match stopped.steps[index].state.clone() {
                StepState::Failed { build, .. } => {
                    self.requeue_build(tx, build).await?;
                    self.enter(tx, &mut stopped, index, StepState::Rebuild).await?;
                    retried.builds.push(artifact.clone());
                    true
                }
                StepState::Held { build, objections } if !request.failed_only => {
                    self.retest(tx, &mut stopped, (index, build, &objections), retried).await?
                }
                _ => false,
            };
            if tried {
                self.record(tx, request, plan, artifact).await?;
            }
        }
        Ok(())
    }

    /// Another attempt at a build that ended without outputs. One with other inputs by now takes its place in the end.
    async fn requeue_build(&self, tx: &mut Tx, build: Option<BuildId>) -> Result<(), AdminError> {
        let Some(id) = build else { return Ok(()) };
        let Some(mut build) = builds::get(tx, id).await? else { return Ok(()) };
        if matches!(build.state, BuildState::Failed { .. } | BuildState::Cancelled { .. }) {
            build.state = build.state.enter(BuildState::Queued).map_err(AdminError::input)?;
            build.attempt += 1;
            builds::update(tx, &build, self.now()).await?;
        }
        Ok(())
    }

    /// Queues the runs a gate objects to; the gate is asked again when they are over.
    async fn retest(
        &self,
        tx: &mut Tx,
        stopped: &mut Stopped<'_>,
        (index, build, objections): (usize, BuildId, &[Objection]),
        retried: &mut Retried,
    ) -> Result<bool, AdminError> {
        let unsettled =
            |objection: &&Objection| matches!(objection.kind, ObjectionKind::Unsettled { .. });
        if let Some(objection) = objections.iter().find(unsettled) {
            // The objection lives in this state alone: leaving the state would open the gate.
            retried.left.push(format!("{objection}; only a new commit can help"));
            return Ok(false);
        }
        let mut any = false;
        for objection in objections {
            if objection.kind == ObjectionKind::Removed {
                retried.left.push(format!("{objection}: `millstream gate sign-off`"));
                continue;
            }
            any |= self.queue_run(tx, stopped, &objection.artifact, retried).await?;
        }
        if any {
            self.enter(tx, stopped, index, StepState::Built { build }).await?;
        }
        Ok(any)
    }

    /// Queues the run of an artifact's step again; false if it has none that is over.
    async fn queue_run(
        &self,
        tx: &mut Tx,
        stopped: &mut Stopped<'_>,
        artifact: &ArtifactKey,
        retried: &mut Retried,
    ) -> Result<bool, AdminError> {
        let Some(index) = stopped.plan.step_of(artifact) else { return Ok(false) };
        let state = stopped.steps[index].state.clone();
        let run = match (&state, state.outputs()) {
            (StepState::Retested { run }, _) => test_runs::get(tx, *run).await?,
            // An objection of a run that another gate had queued just now, or one that is under way again.
            (StepState::Retest | StepState::Testing { .. }, _) => return Ok(true),
            (_, Some(build)) => match builds::get(tx, build).await? {
                Some(build) => newest_run(tx, &build).await?,
                None => None,
            },
            _ => None,
        };
        let Some(run) = run else { return Ok(false) };
        if !stopped.queued.insert(run.id) {
            return Ok(true);
        }
        if !self.requeue_run(tx, run).await? {
            return Ok(true);
        }
        if matches!(state, StepState::Retested { .. }) {
            self.enter(tx, stopped, index, StepState::Retest).await?;
        }
        retried.tests.push(artifact.clone());
        Ok(true)
    }

    /// False if the run is queued or under way.
    async fn requeue_run(&self, tx: &mut Tx, mut run: TestRun) -> Result<bool, AdminError> {
        if !matches!(run.state, TestRunState::Finished { .. } | TestRunState::Errored { .. }) {
            return Ok(false);
        }
        run.state = TestRunState::Queued;
        run.attempt += 1;
        test_runs::update(tx, &run, self.now()).await?;
        Ok(true)
    }

    async fn enter(
        &self,
        tx: &mut Tx,
        stopped: &mut Stopped<'_>,
        index: usize,
        next: StepState,
    ) -> Result<(), AdminError> {
        let step = &mut stopped.steps[index];
        step.state = step.state.enter(next).map_err(AdminError::input)?;
        step.since = self.now();
        step.version = steps::update(tx, step).await?;
        Ok(())
    }

    async fn record(
        &self,
        tx: &mut Tx,
        request: &RetryRequest,
        plan: &Plan,
        artifact: &ArtifactKey,
    ) -> Result<(), AdminError> {
        let Signature { author, reason, .. } = &request.signature;
        let sentence = format!("{author} has it tried again: {reason}");
        let about = (plan.events.first().copied(), Some(plan.id), Some(artifact));
        intervened(tx, self.now(), about, sentence, serde_json::Value::Null).await
    }
}
