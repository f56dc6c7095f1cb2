//! `GET /api/v1/builds/BUILD/changes?since=BUILD`: which facets differ from those of another build.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::facets::BuildDifference;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::Problem;

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The number or the NVR of the build it is compared with.
    since: String,
}

/// How the facets of a build differ from those of an earlier one.
#[utoipa::path(
    get,
    path = "/builds/{build}/changes",
    tag = "builds",
    operation_id = "changes_of_build",
    params(("build" = String, Path, description = "Its number or its NVR."), Wanted),
    responses(
        (status = 200, description = "What differs.", body = BuildDifference),
        (status = 404, description = "There is no such build, or it has no outputs."),
    ),
)]
pub(crate) async fn changes(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<BuildDifference>, Problem> {
    Ok(Json(api.admin.difference(&build, &wanted.since).await?))
}
