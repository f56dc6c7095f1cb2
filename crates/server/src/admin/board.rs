//! A plan as it is looked at: where each step stands, what is left, and the whole story of those steps that are shown.

use std::collections::HashMap;
use std::sync::Arc;

use model::clock::Timestamp;
use model::id::BuildId;
use model::plan::{NumberedPlan, StepIndex};
use pipeline::plan::report::{self, StepReport};
use store::steps::StepStand;
use store::{builds, events, plans, steps};

use super::events::EventView;
use super::ledger::{self, DecisionView};
use super::overview::{Front, OutlookView};
use super::plans::{PlanView, listed};
use super::{Admin, AdminError};

/// A plan with where its steps stand. Light enough for thousands of steps.
pub(crate) struct PlanBoard {
    /// The plan as it is listed.
    pub(crate) head: PlanView,
    /// All of it.
    pub(crate) plan: Arc<NumberedPlan>,
    /// The public number of the plan it goes on with.
    pub(crate) parent: Option<i64>,
    /// The events it answers.
    pub(crate) causes: Vec<EventView>,
    /// Where each step stands, in their order.
    pub(crate) stands: Vec<StepStand>,
    /// What is left of it; none when it is done.
    pub(crate) outlook: Option<OutlookView>,
    /// Whom its steps wait for.
    pub(crate) front: Vec<Front>,
}

impl PlanBoard {
    /// The name of a step's state.
    pub(crate) fn state(&self, index: StepIndex) -> &'static str {
        self.stands.get(index).map_or("waiting", |stand| stand.state)
    }

    /// When something happened to a step last.
    pub(crate) fn last_change(&self) -> Option<Timestamp> {
        self.stands.iter().map(|stand| stand.since).max()
    }

    /// Whether anything may still happen.
    pub(crate) fn is_open(&self) -> bool {
        self.head.settled < self.head.steps
    }
}

impl Admin {
    /// A plan with where its steps stand.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is none of this number.
    pub(crate) async fn plan_board(&self, number: i64) -> Result<PlanBoard, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let plan = self.shelf.plan(conn, number).await?;
        let stands = steps::stands(conn, number).await?;
        let head = plans::head(conn, plan.plan.id).await?;
        let head = listed(conn, head.into_iter().collect()).await?.into_iter().next();
        let head = head.ok_or_else(|| AdminError::Outside(format!("plan {number} is gone")))?;
        let parent = match plan.plan.parent {
            Some(parent) => plans::head(conn, parent).await?.map(|head| head.number),
            None => None,
        };
        let (mut outlook, mut front) = (None, Vec::new());
        if head.settled < head.steps {
            let open = self.all_open(conn).await?;
            outlook = open.outlooks(self.config.build.capacity).remove(&number);
            front = open.front(number);
        }
        let causes = events::get_many(conn, &plan.plan.events).await?;
        let causes = causes.into_iter().map(EventView::from).collect();
        Ok(PlanBoard { head, plan, parent, causes, stands, outlook, front })
    }

    /// The whole story of some steps of a plan, in their order.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub(crate) async fn step_reports(
        &self,
        board: &PlanBoard,
        indices: &[StepIndex],
    ) -> Result<Vec<(StepIndex, StepReport)>, AdminError> {
        let mut reader = self.store.read().await?;
        let found = steps::some_of_plan(&mut reader, board.plan.number, indices).await?;
        let ids: Vec<BuildId> =
            found.iter().filter_map(|step| step.newest_output().or(step.state.build())).collect();
        let names: HashMap<BuildId, String> = builds::get_many(&mut reader, &ids)
            .await?
            .into_iter()
            .map(|build| (build.id, build.nvr.to_string()))
            .collect();
        let state_of = |index: StepIndex| board.state(index);
        let nvr = |id: BuildId| names.get(&id).cloned();
        let reported = found
            .iter()
            .map(|step| (step.index, report::step_report(&board.plan.plan, step, state_of, nvr)));
        Ok(reported.collect())
    }

    /// What was decided in a plan, the newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub(crate) async fn plan_ledger(
        &self,
        board: &PlanBoard,
        limit: u32,
    ) -> Result<Vec<DecisionView>, AdminError> {
        let filter = store::decisions::DecisionFilter {
            plan: Some(board.plan.plan.id),
            ..store::decisions::DecisionFilter::default()
        };
        let mut reader = self.store.read().await?;
        let page = store::Page::first(limit);
        let found = store::decisions::list(&mut reader, &filter, page).await?;
        ledger::views(&mut reader, found).await
    }
}
