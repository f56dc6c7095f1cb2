//! `GET /api/v1/composes/NAME/BRANCH`: what is in it, and what changed since the one before.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::artifact::ArtifactKind;

use crate::admin::composes::ComposeDetail;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;
use crate::api::v1::artifacts::address::NameAndBranch;

/// What is in a compose, and what changed since the build before.
#[utoipa::path(
    get,
    path = "/composes/{name}/{branch}",
    tag = "composes",
    operation_id = "show_compose",
    params(NameAndBranch),
    responses(
        (status = 200, description = "It.", body = ComposeDetail),
        (status = 404, description = "There is none, or it was never built."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(address): Path<NameAndBranch>,
) -> Result<Json<ComposeDetail>, Problem> {
    Ok(Json(api.admin.compose(&address.of(ArtifactKind::Composes).to_string()).await?))
}
