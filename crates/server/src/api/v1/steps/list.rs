//! `GET /api/v1/steps`: steps across plans.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use store::steps::StepFilter;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::steps::StepView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, one_more};
use crate::api::problem::Problem;

/// Which steps. Without plan and artifact only those that are not settled are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// In the plan of this public number.
    plan: Option<i64>,
    /// Of this artifact.
    artifact: Option<ArtifactKey>,
    /// In the state of this name.
    #[param(example = "building")]
    state: Option<String>,
    /// Only those that are not settled.
    #[serde(default)]
    #[param(default = false)]
    open: bool,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// Steps, those of the newest plan first. Without plan and artifact only those that are not settled: what is under way.
#[utoipa::path(
    get,
    path = "/steps",
    tag = "steps",
    operation_id = "list_steps",
    params(Wanted),
    responses((status = 200, description = "The steps.", body = Listing<StepView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<StepView>, Problem> {
    let Wanted { plan, artifact, state, open, limit, before } = wanted;
    let before = before.map(|before| before.step()).transpose()?;
    let unsettled = open || (plan.is_none() && artifact.is_none());
    let filter = StepFilter { plan, artifact, state, unsettled };
    let found = api.admin.steps(&filter, before, one_more(limit)).await?;
    Ok(listed(&uri, found, limit, |last| ("before", format!("{}.{}", last.plan, last.index))))
}
