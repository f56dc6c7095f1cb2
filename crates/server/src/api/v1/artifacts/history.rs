//! `GET /api/v1/artifacts/KIND/NAME/BRANCH/history`: where the branch pointed, and when.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::address::Address;
use crate::admin::branches::BranchHistory;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::listing::Limit;
use crate::api::problem::Problem;

/// How much of the history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How many moves at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
}

/// The last moves of its branch, forced pushes and deletions included.
#[utoipa::path(
    get,
    path = "/artifacts/{kind}/{name}/{branch}/history",
    tag = "artifacts",
    operation_id = "history_of_artifact",
    params(Address, Wanted),
    responses(
        (status = 200, description = "The moves, the newest first.", body = BranchHistory),
        (status = 404, description = "Nothing is known of it."),
    ),
)]
pub(crate) async fn history(
    State(api): State<Arc<Api>>,
    Path(address): Path<Address>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<BranchHistory>, Problem> {
    let artifact = address.into();
    api.admin.is_known(&artifact).await?;
    let Limit(limit) = wanted.limit.unwrap_or_default();
    Ok(Json(api.admin.branch_history(&artifact, limit).await?))
}
