//! `GET /api/v1/where/NAME`: is a fresh build of it under way, complete, published, or on its way?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::whereabouts::{Question, Whereabouts};
use crate::admin::{BranchName, Evr};
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::Problem;

/// Seen from whom.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The version that is installed, unless the name holds one.
    installed: Option<Evr>,
    /// On this branch only.
    branch: Option<BranchName>,
}

/// Whether a fresh build of something is under way, complete, published or on its way, branch by branch; which images and composes carry which version; and when it is expected.
#[utoipa::path(
    get,
    path = "/where/{name}",
    tag = "status",
    operation_id = "where_is",
    params(("name" = String, Path, description = "An artifact, or a package by its name, NVR or NEVRA; a slash is written `%2F`, a hash `%23`."), Wanted),
    responses(
        (status = 200, description = "Where it is on its way.", body = Whereabouts),
        (status = 404, description = "No artifact is called so, and no package of this name was ever built."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Whereabouts>, Problem> {
    Ok(Json(
        api.admin
            .whereabouts(&Question { name, installed: wanted.installed, branch: wanted.branch })
            .await?,
    ))
}
