//! `GET /api/v1/builds/BUILD/gate`: whether dependents may use it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::gates::GateDecision;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// Whether dependents may use a build, and what stands against it.
#[utoipa::path(
    get,
    path = "/builds/{build}/gate",
    tag = "builds",
    operation_id = "gate_of_build",
    params(("build" = String, Path, description = "Its number or its NVR.")),
    responses(
        (status = 200, description = "What its gate says now.", body = GateDecision),
        (status = 404, description = "There is no such build."),
    ),
)]
pub(crate) async fn gate(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
) -> Result<Json<GateDecision>, Problem> {
    Ok(Json(api.admin.decide_gate(&build).await?))
}
