//! `GET /api/v1/status`: how everything stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::status::Status;
use crate::api::Api;
use crate::api::problem::Problem;

/// Counts, the time since something happened, and what waits for whom.
#[utoipa::path(
    get,
    path = "/status",
    tag = "status",
    operation_id = "show_status",
    responses((status = 200, description = "How everything stands.", body = Status)),
)]
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Result<Json<Status>, Problem> {
    Ok(Json(api.admin.status().await?))
}
