//! `GET /api/v1/sign-offs/NUMBER`: a sign-off.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::WaiverKind;
use crate::admin::waivers::WaiverView;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// A sign-off. Waivers and sign-offs are numbered together.
#[utoipa::path(
    get,
    path = "/sign-offs/{number}",
    tag = "gates",
    operation_id = "show_sign_off",
    params(("number" = i64, Path, description = "Its public number.")),
    responses(
        (status = 200, description = "The sign-off.", body = WaiverView),
        (status = 404, description = "There is no sign-off of this number."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<WaiverView>, Problem> {
    Ok(Json(api.admin.waiver(number, WaiverKind::SignOff).await?))
}
