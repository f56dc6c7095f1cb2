//! `GET /api/v1/artifacts/KIND/NAME/BRANCH`: an artifact with what happens to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::address::Address;
use crate::admin::catalogue::ArtifactRecord;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// An artifact with its newest builds and steps, what stops it, and what it needs.
#[utoipa::path(
    get,
    path = "/artifacts/{kind}/{name}/{branch}",
    tag = "artifacts",
    operation_id = "show_artifact",
    params(Address),
    responses(
        (status = 200, description = "The artifact.", body = ArtifactRecord),
        (status = 404, description = "Nothing is known of it."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(address): Path<Address>,
) -> Result<Json<ArtifactRecord>, Problem> {
    Ok(Json(api.admin.artifact_record(&address.into()).await?))
}
