//! Plans as they are listed, shown and cancelled.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use model::artifact::BranchName;
use model::build::BuildState;
use model::event::Severity;
use model::id::BuildId;
use model::plan::NumberedPlan;
use model::rule::{Approval, PlanMode};
use model::step::{Step, StepState};
use pipeline::plan::report::{self, PlanReport, PlanState};
use serde::Serialize;
use store::{Conn, Page, Tx, approvals, builds, events, plans, steps};
use utoipa::ToSchema;

use super::events::EventView;
use super::ledger::intervened;
use super::table::Table;
use super::time::{Moment, spoken};
use super::{Admin, AdminError, Signature};

/// A plan in a listing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// Its public number.
    pub number: i64,
    /// Its branch.
    pub branch: BranchName,
    /// Where it stands.
    pub state: PlanState,
    /// The gravest of its causes.
    pub severity: Severity,
    /// When it was made.
    pub created: Moment,
    /// When it may start, or did.
    pub start: Moment,
    /// How long it was expected to take, in seconds.
    pub predicted_seconds: f64,
    /// How many steps it has.
    pub steps: usize,
    /// How many of them are settled.
    pub settled: usize,
    /// How many are in each state.
    pub counts: BTreeMap<String, usize>,
    /// The first of the events it answers.
    pub cause: Option<EventView>,
    /// How many events it answers.
    pub causes: usize,
}

/// Which plans are listed.
#[derive(Clone, Debug, Default)]
pub struct PlanFilter {
    /// Those on this branch.
    pub branch: Option<BranchName>,
    /// Only those that are not done.
    pub open: bool,
}

/// Plans, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct PlanList(pub Vec<PlanView>);

impl fmt::Display for PlanList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no plans");
        }
        let row = |plan: &PlanView| {
            let predicted =
                spoken(std::time::Duration::from_secs_f64(plan.predicted_seconds.max(0.0)));
            let (number, branch, state) =
                (plan.number.to_string(), plan.branch.to_string(), plan.state.to_string());
            let settled = format!("{}/{}", plan.settled, plan.steps);
            [
                number,
                branch,
                state,
                plan.severity.to_string(),
                plan.created.to_string(),
                settled,
                predicted,
            ]
        };
        let header = ["NUMBER", "BRANCH", "STATE", "SEVERITY", "CREATED", "SETTLED", "PREDICTED"];
        Table::of(header, self.0.iter().map(row)).fmt(f)
    }
}

/// What cancelling a plan ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CancelledPlan {
    /// The plan's public number.
    pub plan: i64,
    /// How many steps.
    pub steps: usize,
    /// The NVRs of the builds that were queued or under way.
    pub builds: Vec<String>,
}

impl fmt::Display for CancelledPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, steps, builds } = self;
        writeln!(f, "plan {plan}: {steps} steps cancelled")?;
        if builds.is_empty() { Ok(()) } else { writeln!(f, "builds ended: {}", builds.join(", ")) }
    }
}

impl Admin {
    /// The newest plans, of all or only of the open ones.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn plans(&self, open_only: bool, limit: u32) -> Result<PlanList, AdminError> {
        let filter = PlanFilter { open: open_only, ..PlanFilter::default() };
        self.plan_list(&filter, Page::first(limit)).await
    }

    /// A part of the list of plans.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn plan_list(&self, filter: &PlanFilter, page: Page) -> Result<PlanList, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let heads = plans::list(&mut reader, filter.branch.as_ref(), filter.open, page).await?;
        Ok(PlanList(listed(&mut reader, heads).await?))
    }

    /// A plan with where its steps stand.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number.
    pub async fn plan(&self, number: i64) -> Result<PlanReport, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let found = numbered(&mut reader, number).await?;
        let steps = steps::of_plan(&mut reader, found.plan.id).await?;
        reported(&mut reader, &found, &steps).await
    }

    /// Lets a plan start now instead of waiting for more of the same.
    ///
    /// # Errors
    /// [`AdminError::Unfit`] when it has started already.
    pub async fn run_plan(
        &self,
        number: i64,
        signature: &Signature,
    ) -> Result<PlanReport, AdminError> {
        signature.check()?;
        let Signature { author, reason, .. } = signature;
        self.write(async |tx| {
            let NumberedPlan { plan, .. } = self.as_seen(tx, number, signature).await?;
            match &plan.mode {
                PlanMode::Real => {}
                PlanMode::Proposed { .. } => {
                    return Err(AdminError::Unfit(format!(
                        "plan {number} waits for a person to allow it: `millstream plan approve {number}`"
                    )));
                }
                PlanMode::Shadow => {
                    return Err(AdminError::Unfit(format!(
                        "plan {number} was made in shadow mode: it never starts"
                    )));
                }
                PlanMode::DryRun { .. } => {
                    return Err(AdminError::Unfit(format!(
                        "plan {number} is a dry run: it never starts"
                    )));
                }
            }
            if !plans::bring_forward(tx, plan.id, self.now()).await? {
                return Err(AdminError::Unfit(format!("plan {number} has started already")));
            }
            let sentence = format!("{author} let plan {number} start at once: {reason}");
            let about = (plan.events.first().copied(), Some(plan.id), None);
            intervened(tx, self.now(), about, sentence, serde_json::Value::Null).await
        })
        .await?;
        self.plan(number).await
    }

    /// Allows a plan to touch more than its rule does. A server makes it again at its next look, with what is known then.
    ///
    /// # Errors
    /// [`AdminError::Unfit`] when it does not wait for that.
    pub async fn approve_plan(
        &self,
        number: i64,
        signature: &Signature,
    ) -> Result<PlanReport, AdminError> {
        signature.check()?;
        let Signature { author, reason, .. } = signature;
        self.write(async |tx| {
            let NumberedPlan { plan, .. } = self.as_seen(tx, number, signature).await?;
            let steps = steps::of_plan(tx, plan.id).await?;
            let PlanMode::Proposed { rule, limit } = &plan.mode else {
                return Err(AdminError::Unfit(format!("plan {number} waits for no approval")));
            };
            if steps.iter().all(|step| step.state.is_settled()) {
                return Err(AdminError::Unfit(format!(
                    "plan {number} waits for no approval any more: `millstream plan show {number}`"
                )));
            }
            let (author, reason) = (author.clone(), reason.clone());
            let sentence = format!(
                "{author} allowed plan {number} its {} steps, of which rule {rule} allows {limit}: {reason}",
                steps.len()
            );
            let approval = Approval { author, reason, at: self.now() };
            if !approvals::put(tx, plan.id, &approval).await? {
                return Err(AdminError::Unfit(format!(
                    "plan {number} was approved before: a server makes it again at its next look"
                )));
            }
            let about = (plan.events.first().copied(), Some(plan.id), None);
            intervened(tx, self.now(), about, sentence, serde_json::json!(approval)).await
        })
        .await?;
        self.plan(number).await
    }

    /// Cancels what a plan has not finished, and ends its builds.
    ///
    /// # Errors
    /// [`AdminError::Unfit`] when there is nothing to cancel.
    pub async fn cancel_plan(
        &self,
        number: i64,
        signature: &Signature,
    ) -> Result<CancelledPlan, AdminError> {
        signature.check()?;
        let Signature { author, reason, .. } = signature;
        self.write(async |tx| {
            let NumberedPlan { plan, .. } = self.as_seen(tx, number, signature).await?;
            let mut cancelled = CancelledPlan { plan: number, steps: 0, builds: Vec::new() };
            for step in steps::of_plan(tx, plan.id).await? {
                let artifact = &plan.steps[step.index].artifact;
                if step.state.is_settled() {
                    continue;
                }
                if let StepState::Building { build } = step.state {
                    cancelled
                        .builds
                        .extend(self.end_build(tx, &step, build, (author, reason)).await?);
                }
                self.cancel_step(tx, step, (author, reason)).await?;
                cancelled.steps += 1;
                let sentence = format!("{author} cancelled it: {reason}");
                let about = (plan.events.first().copied(), Some(plan.id), Some(artifact));
                intervened(tx, self.now(), about, sentence, serde_json::Value::Null).await?;
            }
            match cancelled.steps {
                0 => Err(AdminError::Unfit(format!(
                    "plan {number} has no unfinished step: there is nothing to cancel"
                ))),
                _ => Ok(cancelled),
            }
        })
        .await
    }

    /// A plan that has to be there, and as whoever signs has seen it.
    pub(crate) async fn as_seen(
        &self,
        tx: &mut Tx,
        number: i64,
        signature: &Signature,
    ) -> Result<NumberedPlan, AdminError> {
        let found = numbered(tx, number).await?;
        if signature.seen.is_some() {
            let steps = steps::of_plan(tx, found.plan.id).await?;
            signature.still_holds(&reported(tx, &found, &steps).await?)?;
        }
        Ok(found)
    }

    async fn cancel_step(
        &self,
        tx: &mut Tx,
        step: Step,
        (author, reason): (&str, &str),
    ) -> Result<(), AdminError> {
        let next = StepState::Cancelled { author: author.to_owned(), reason: reason.to_owned() };
        let state = step.state.enter(next).map_err(AdminError::input)?;
        steps::update(tx, &Step { state, since: self.now(), ..step }).await?;
        Ok(())
    }

    /// Ends a build unless another plan waits for it; gives its NVR.
    async fn end_build(
        &self,
        tx: &mut Tx,
        own: &Step,
        build: BuildId,
        (author, reason): (&str, &str),
    ) -> Result<Option<String>, AdminError> {
        let waits = |step: &Step| step.state.build() == Some(build) && step.plan != own.plan;
        if steps::unsettled(tx, "building").await?.iter().any(|placed| waits(&placed.step)) {
            return Ok(None);
        }
        let Some(mut build) = builds::get(tx, build).await? else { return Ok(None) };
        if !matches!(build.state, BuildState::Queued | BuildState::Running { .. }) {
            return Ok(None);
        }
        let next = BuildState::Cancelled { reason: format!("{author}: {reason}"), at: self.now() };
        build.state = build.state.enter(next).map_err(AdminError::input)?;
        builds::update(tx, &build, self.now()).await?;
        Ok(Some(build.nvr.to_string()))
    }
}

/// Plans as they are listed: with their causes, and how many of their steps are in each state.
pub(crate) async fn listed(
    conn: &mut Conn,
    heads: Vec<plans::PlanHead>,
) -> Result<Vec<PlanView>, AdminError> {
    let numbers: Vec<i64> = heads.iter().map(|head| head.number).collect();
    let mut counts = steps::counts(conn, &numbers).await?;
    let mut causes = events::first_of_plans(conn, &numbers).await?;
    let view = |head: plans::PlanHead| {
        let counts = counts.remove(&head.number).unwrap_or_default();
        let (cause, causes) = causes.remove(&head.number).unzip();
        PlanView {
            number: head.number,
            branch: head.branch,
            state: report::state_of_names(head.kind, counts.keys().map(String::as_str)),
            severity: head.severity,
            created: Moment(head.created),
            start: Moment(head.start),
            predicted_seconds: head.predicted.as_secs_f64(),
            steps: head.steps,
            settled: head.steps.saturating_sub(head.unsettled),
            counts,
            cause: cause.map(EventView::from),
            causes: causes.unwrap_or(0),
        }
    };
    Ok(heads.into_iter().map(view).collect())
}

/// A plan that has to be there.
pub(crate) async fn numbered(conn: &mut Conn, number: i64) -> Result<NumberedPlan, AdminError> {
    plans::by_number(conn, number).await?.ok_or_else(|| no_plan(number))
}

pub(crate) fn no_plan(number: i64) -> AdminError {
    AdminError::NotFound(format!(
        "there is no plan {number}: `millstream plan list` shows those there are"
    ))
}

/// The report on a plan, with the names of its builds.
pub(crate) async fn reported(
    conn: &mut Conn,
    found: &NumberedPlan,
    steps: &[Step],
) -> Result<PlanReport, AdminError> {
    let ids: Vec<BuildId> = steps
        .iter()
        .flat_map(|step| [step.newest_output(), step.state.build()])
        .flatten()
        .collect();
    let named = builds::get_many(conn, &ids).await?;
    let nvrs: HashMap<BuildId, String> =
        named.into_iter().map(|build| (build.id, build.nvr.to_string())).collect();
    let mut report =
        report::report(&found.plan, Some(found.number), steps, |id| nvrs.get(&id).cloned());
    if report.state == PlanState::Proposed {
        report.approval = approvals::of_plan(conn, found.plan.id).await?;
    }
    Ok(report)
}
