//! Lines of the ledger: those that are shown, and those that people's interventions add.

use std::collections::HashMap;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind, NumberedDecision};
use model::id::{EventId, PlanId};
use serde::Serialize;
use store::decisions::{self, DecisionFilter};
use store::{Conn, Page, Tx, events, plans};
use utoipa::ToSchema;

use super::events::no_event;
use super::plans::no_plan;
use super::time::Moment;
use super::{Admin, AdminError};

/// A decision as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionView {
    /// Its place in the ledger.
    pub number: i64,
    /// When.
    pub time: Moment,
    /// What was decided.
    pub kind: DecisionKind,
    /// The public number of the event on whose account it was taken.
    pub event: Option<i64>,
    /// The public number of the plan.
    pub plan: Option<i64>,
    /// About which artifact.
    pub artifact: Option<ArtifactKey>,
    /// The reason.
    pub sentence: String,
    /// The reason as data: a reason, a verdict, a failure, or what a person asked for.
    pub detail: serde_json::Value,
}

/// Which decisions are wanted; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct DecisionsWanted {
    /// Those in the plan of this number.
    pub plan: Option<i64>,
    /// Those about this artifact.
    pub artifact: Option<ArtifactKey>,
    /// Those on account of the event of this number.
    pub event: Option<i64>,
    /// Those of this kind.
    pub kind: Option<DecisionKind>,
}

impl Admin {
    /// The newest decisions.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such plan or event.
    pub async fn decisions(
        &self,
        wanted: &DecisionsWanted,
        page: impl Into<Page>,
    ) -> Result<Vec<DecisionView>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let plan = match wanted.plan {
            Some(number) => {
                let id = plans::id_of(&mut reader, number).await?;
                Some(id.ok_or_else(|| no_plan(number))?)
            }
            None => None,
        };
        let event = match wanted.event {
            Some(number) => {
                let event = events::by_number(&mut reader, number).await?;
                Some(event.ok_or_else(|| no_event(number))?.id)
            }
            None => None,
        };
        let artifact = wanted.artifact.clone();
        let filter = DecisionFilter { plan, artifact, event, kind: wanted.kind };
        let found = decisions::list(&mut reader, &filter, page.into()).await?;
        views(&mut reader, found).await
    }

    /// One decision.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number.
    pub async fn decision(&self, number: i64) -> Result<DecisionView, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let found = decisions::by_number(&mut reader, number).await?;
        let views = views(&mut reader, found.into_iter().collect()).await?;
        let none = || AdminError::NotFound(format!("there is no decision {number}"));
        views.into_iter().next().ok_or_else(none)
    }
}

/// Decisions with the public numbers of their plans and events.
pub(crate) async fn views(
    conn: &mut Conn,
    found: Vec<NumberedDecision>,
) -> Result<Vec<DecisionView>, AdminError> {
    let ids: Vec<PlanId> = found.iter().filter_map(|line| line.decision.plan).collect();
    let plans: HashMap<PlanId, i64> = plans::numbers(conn, &ids).await?;
    let ids: Vec<EventId> = found.iter().filter_map(|line| line.decision.event).collect();
    let events: HashMap<EventId, i64> = events::numbers(conn, &ids).await?;
    let view = |NumberedDecision { number, decision }: NumberedDecision| DecisionView {
        number,
        time: Moment(decision.at),
        kind: decision.kind,
        event: decision.event.and_then(|id| events.get(&id).copied()),
        plan: decision.plan.and_then(|id| plans.get(&id).copied()),
        artifact: decision.artifact,
        sentence: decision.sentence,
        detail: decision.detail,
    };
    Ok(found.into_iter().map(view).collect())
}

/// Puts on record that a person intervened.
pub(crate) async fn intervened(
    tx: &mut Tx,
    at: Timestamp,
    (event, plan, artifact): (Option<EventId>, Option<PlanId>, Option<&ArtifactKey>),
    sentence: String,
    detail: serde_json::Value,
) -> Result<(), AdminError> {
    let artifact = artifact.cloned();
    let decision =
        Decision { kind: DecisionKind::Intervened, at, event, plan, artifact, sentence, detail };
    Ok(decisions::append_many(tx, &[decision]).await?)
}
