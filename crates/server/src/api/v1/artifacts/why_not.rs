//! `GET /api/v1/artifacts/KIND/NAME/BRANCH/why-not`: why it is not rebuilt.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::address::Address;
use crate::admin::why_not::WhyNot;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::Problem;

/// On what account.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The public number of an event.
    event: Option<i64>,
    /// The public number of a plan.
    plan: Option<i64>,
}

/// Why an artifact is not rebuilt: in one plan, on account of one event, or in the newest plan of its branch.
#[utoipa::path(
    get,
    path = "/artifacts/{kind}/{name}/{branch}/why-not",
    tag = "artifacts",
    operation_id = "why_not_of_artifact",
    params(Address, Wanted),
    responses(
        (status = 200, description = "The answer.", body = WhyNot),
        (status = 404, description = "There is no such plan or event."),
    ),
)]
pub(crate) async fn why_not(
    State(api): State<Arc<Api>>,
    Path(address): Path<Address>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<WhyNot>, Problem> {
    Ok(Json(api.admin.why_not(&address.into(), wanted.event, wanted.plan).await?))
}
