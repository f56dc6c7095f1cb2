//! `GET /api/v1/artifacts/KIND/NAME/BRANCH/why`: why it is rebuilt, retested or left alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::address::Address;
use crate::admin::why::Why;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::Problem;

/// In which plan.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The public number of the plan; the newest that has the artifact if it is left out.
    plan: Option<i64>,
}

/// The chain of reasons from an artifact to an event: in the newest plan that has it, or in one plan.
#[utoipa::path(
    get,
    path = "/artifacts/{kind}/{name}/{branch}/why",
    tag = "artifacts",
    operation_id = "why_of_artifact",
    params(Address, Wanted),
    responses(
        (status = 200, description = "The chain.", body = Why),
        (status = 404, description = "It is in no plan, or not in this one; `why-not` says why."),
    ),
)]
pub(crate) async fn why(
    State(api): State<Arc<Api>>,
    Path(address): Path<Address>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Why>, Problem> {
    Ok(Json(api.admin.why(&address.into(), wanted.plan).await?))
}
