//! Steps across plans: what is under way, and what became of one artifact.

use model::artifact::ArtifactKey;
use model::reason::Reason;
use model::step::StepState;
use serde::Serialize;
use store::steps::{self, PlacedStep, StepFilter};
use utoipa::ToSchema;

use super::time::Moment;
use super::{Admin, AdminError};

/// A step with the plan it belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StepView {
    /// The public number of its plan.
    pub plan: i64,
    /// Its position in the plan.
    pub index: usize,
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepState,
    /// Why, as data.
    pub reason: Reason,
    /// Why, as a sentence.
    pub sentence: String,
    /// Which round of its cycle it is in.
    pub round: u32,
    /// Since when it is in its state.
    pub since: Moment,
}

impl From<PlacedStep> for StepView {
    fn from(PlacedStep { plan_number, artifact, step }: PlacedStep) -> Self {
        Self {
            plan: plan_number,
            index: step.index,
            artifact,
            state: step.state,
            sentence: step.reason.to_string(),
            reason: step.reason,
            round: step.round,
            since: Moment(step.since),
        }
    }
}

impl Admin {
    /// The steps of the newest plans, after those up to a plan and a position.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn steps(
        &self,
        wanted: &StepFilter,
        before: Option<(i64, i64)>,
        limit: u32,
    ) -> Result<Vec<StepView>, AdminError> {
        let mut reader = self.store.read().await?;
        let found = steps::list(&mut reader, wanted, before, limit).await?;
        Ok(found.into_iter().map(StepView::from).collect())
    }
}
