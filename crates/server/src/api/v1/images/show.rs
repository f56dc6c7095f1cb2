//! `GET /api/v1/images/NAME/BRANCH`: what is in it, and what changed since the one before.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::artifact::ArtifactKind;

use crate::admin::images::ImageDetail;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;
use crate::api::v1::artifacts::address::NameAndBranch;

/// What is in an image, and what changed since the build before.
#[utoipa::path(
    get,
    path = "/images/{name}/{branch}",
    tag = "images",
    operation_id = "show_image",
    params(NameAndBranch),
    responses(
        (status = 200, description = "It.", body = ImageDetail),
        (status = 404, description = "There is none, or it was never built."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(address): Path<NameAndBranch>,
) -> Result<Json<ImageDetail>, Problem> {
    Ok(Json(api.admin.image(&address.of(ArtifactKind::Containers).to_string()).await?))
}
