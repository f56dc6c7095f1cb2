//! `GET /api/v1/holds/NUMBER`: a freeze or a hold.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::holds::HoldView;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// A freeze or a hold. Its `ETag` is good for `If-Match` of its release.
#[utoipa::path(
    get,
    path = "/holds/{number}",
    tag = "holds",
    operation_id = "show_hold",
    params(("number" = i64, Path, description = "Its public number.")),
    responses(
        (status = 200, description = "The freeze or hold.", body = HoldView),
        (status = 404, description = "There is none of this number."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<HoldView>, Problem> {
    Ok(Json(api.admin.hold_of(number).await?))
}
