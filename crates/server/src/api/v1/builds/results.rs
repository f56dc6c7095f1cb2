//! `GET /api/v1/builds/BUILD/results`: the results of its tests.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::gates::GateResults;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// The results of a build's tests, in the order of reporting.
#[utoipa::path(
    get,
    path = "/builds/{build}/results",
    tag = "builds",
    operation_id = "results_of_build",
    params(("build" = String, Path, description = "Its number or its NVR.")),
    responses(
        (status = 200, description = "The results.", body = GateResults),
        (status = 404, description = "There is no such build."),
    ),
)]
pub(crate) async fn results(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
) -> Result<Json<GateResults>, Problem> {
    Ok(Json(api.admin.gate_results(&build).await?))
}
