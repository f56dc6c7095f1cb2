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

/// What of an artifact waits for a person's sign-off: the case, and the build if it is for that one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// The case.
    pub case: String,
    /// The NVR of the build.
    pub nvr: Option<String>,
}

impl Admin {
    /// The one thing of an artifact that waits for a sign-off.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when nothing does, [`AdminError::Input`] when it is not one thing.
    pub async fn unsigned(&self, artifact: &ArtifactKey) -> Result<Unsigned, AdminError> {
        let board = self.gate_board().await?;
        let mut found = Vec::new();
        for at in &board.refused {
            let own = at.objections.iter().filter(|objection| objection.artifact == *artifact);
            for objection in own.filter(|own| remedy(&own.kind) == Some(WaiverKind::SignOff)) {
                let build = at.build.as_ref().map(|(nvr, _)| nvr.clone());
                let nvr = build.filter(|_| matches!(objection.kind, ObjectionKind::Unsigned));
                let unsigned = Unsigned { case: objection.case.clone(), nvr };
                if !found.contains(&unsigned) {
                    found.push(unsigned);
                }
            }
        }
        match found.len() {
            0 => Err(AdminError::NotFound(format!("nothing of {artifact} waits for a sign-off"))),
            1 => Ok(found.remove(0)),
            _ => {
                let cases: Vec<&str> =
                    found.iter().map(|unsigned| unsigned.case.as_str()).collect();
                Err(AdminError::Input(format!(
                    "more than one thing of {artifact} waits for a sign-off: choose with --case and --nvr ({})",
                    cases.join(", ")
                )))
            }
        }
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
