//! Lines of the ledger: those that are shown, and those that people's interventions add.

use std::collections::HashMap;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind, NumberedDecision};
use model::id::{EventId, PlanId};
use serde::Serialize;
use store::{Conn, Tx, decisions, plans};

use super::AdminError;
use super::time::Moment;

/// A decision as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionView {
    /// Its place in the ledger.
    pub number: i64,
    /// When.
    pub time: Moment,
    /// What was decided.
    pub kind: DecisionKind,
    /// The public number of the plan.
    pub plan: Option<i64>,
    /// About which artifact.
    pub artifact: Option<ArtifactKey>,
    /// The reason.
    pub sentence: String,
}

/// Decisions with the public numbers of their plans.
pub(crate) async fn views(
    conn: &mut Conn,
    found: Vec<NumberedDecision>,
) -> Result<Vec<DecisionView>, AdminError> {
    let mut numbers: HashMap<PlanId, i64> = HashMap::new();
    let mut views = Vec::with_capacity(found.len());
    for NumberedDecision { number, decision } in found {
        if let Some(id) = decision.plan
            && !numbers.contains_key(&id)
            && let Some(head) = plans::head(conn, id).await?
        {
            numbers.insert(id, head.number);
        }
        views.push(DecisionView {
            number,
            time: Moment(decision.at),
            kind: decision.kind,
            plan: decision.plan.and_then(|id| numbers.get(&id).copied()),
            artifact: decision.artifact,
            sentence: decision.sentence,
        });
    }
    Ok(views)
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
