//! `GET /api/v1/builds/BUILD`: everything recorded of a build.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::builds::BuildDetail;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// Everything recorded of a build.
#[utoipa::path(
    get,
    path = "/builds/{build}",
    tag = "builds",
    operation_id = "show_build",
    params(("build" = String, Path, description = "Its number or its NVR.")),
    responses(
        (status = 200, description = "The build.", body = BuildDetail),
        (status = 404, description = "There is no such build."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
) -> Result<Json<BuildDetail>, Problem> {
    Ok(Json(api.admin.build(&build).await?))
}
