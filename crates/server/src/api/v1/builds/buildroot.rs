//! `GET /api/v1/builds/BUILD/buildroot`: the packages installed for a build.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::builds::BuildrootView;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// The packages installed for a build.
#[utoipa::path(
    get,
    path = "/builds/{build}/buildroot",
    tag = "builds",
    operation_id = "buildroot_of_build",
    params(("build" = String, Path, description = "Its number or its NVR.")),
    responses(
        (status = 200, description = "The packages.", body = BuildrootView),
        (status = 404, description = "There is no such build."),
    ),
)]
pub(crate) async fn buildroot(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
) -> Result<Json<BuildrootView>, Problem> {
    Ok(Json(api.admin.buildroot(&build).await?))
}
