//! What stands at gates: which builds are refused, which wait, and what a person could do about each objection.

use model::artifact::ArtifactKey;
use model::gate::{Objection, ObjectionKind, WaiverKind};
use model::step::StepState;
use serde::Serialize;
use store::steps::PlacedStep;
use store::{Conn, builds, steps};

use super::time::Moment;
use super::{Admin, AdminError};

/// What stands at gates now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GateBoard {
    /// Builds that are refused.
    pub refused: Vec<AtGate>,
    /// Builds whose tests are not over.
    pub waiting: Vec<AtGate>,
    /// Test runs that are not over, by state.
    pub tests: Vec<TestAtGate>,
}

/// A build at a gate.
#[derive(Clone, Debug, Serialize)]
pub struct AtGate {
    /// The public number of the plan.
    pub plan: i64,
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The build: its NVR and its public number.
    pub build: Option<(String, i64)>,
    /// Since when.
    pub since: Moment,
    /// What stands against it.
    pub objections: Vec<Objection>,
}

/// A published build that is tested again.
#[derive(Clone, Debug, Serialize)]
pub struct TestAtGate {
    /// The public number of the plan.
    pub plan: i64,
    /// The artifact.
    pub artifact: ArtifactKey,
    /// `retest` while it waits for a place, `testing` from then on.
    pub state: &'static str,
    /// Since when.
    pub since: Moment,
}

impl Admin {
    /// What stands at gates now.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn gate_board(&self) -> Result<GateBoard, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let held = steps::unsettled(conn, "held").await?;
        let built = steps::unsettled(conn, "built").await?;
        let mut tests = Vec::new();
        for state in ["testing", "retest"] {
            let found = steps::unsettled(conn, state).await?;
            tests.extend(found.into_iter().map(|placed| TestAtGate {
                plan: placed.plan_number,
                artifact: placed.artifact,
                state: placed.step.state.name(),
                since: Moment(placed.step.since),
            }));
        }
        let (refused, waiting) = (at_gate(conn, held).await?, at_gate(conn, built).await?);
        Ok(GateBoard { refused, waiting, tests })
    }
}

async fn at_gate(conn: &mut Conn, placed: Vec<PlacedStep>) -> Result<Vec<AtGate>, AdminError> {
    let ids: Vec<_> = placed.iter().filter_map(|placed| placed.step.state.build()).collect();
    let found = builds::get_many(conn, &ids).await?;
    let view = |placed: PlacedStep| {
        let build = found.iter().find(|build| placed.step.state.build() == Some(build.id));
        AtGate {
            plan: placed.plan_number,
            artifact: placed.artifact,
            build: build.map(|build| (build.nvr.to_string(), build.number)),
            since: Moment(placed.step.since),
            objections: match placed.step.state {
                StepState::Held { objections, .. } => objections,
                _ => Vec::new(),
            },
        }
    };
    Ok(placed.into_iter().map(view).collect())
}

/// What a person may record to lift an objection; none where only a new commit or time can help.
pub(crate) fn remedy(objection: &ObjectionKind) -> Option<WaiverKind> {
    match objection {
        ObjectionKind::Missing | ObjectionKind::Errored { .. } | ObjectionKind::Failed { .. } => {
            Some(WaiverKind::Waiver)
        }
        ObjectionKind::Removed | ObjectionKind::Unsigned => Some(WaiverKind::SignOff),
        ObjectionKind::Queued | ObjectionKind::Running | ObjectionKind::Unsettled { .. } => None,
    }
}
