//! `POST /api/v1/sign-offs`: accepts that a commit removes a test, or lets be published what waits for a person.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;

use crate::admin::WaiverKind;
use crate::admin::waivers::WaiverView;
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::Body;
use crate::api::problem::Problem;
use crate::api::v1::waivers::create::{Created, WaiverBody};

/// Accepts that a commit removes a test from its gate, or lets be published what waits for a person. Needs the scope
/// `gate`.
#[utoipa::path(
    post,
    path = "/sign-offs",
    tag = "gates",
    operation_id = "create_sign_off",
    request_body = WaiverBody,
    responses(
        (status = 201, description = "It is recorded; the header `Location` has its address.", body = WaiverView),
        (status = 422, description = "The reason is empty, the end is past, or nothing is known of the artifact or the build."),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Body(body): Body<WaiverBody>,
) -> Result<Created<WaiverView>, Problem> {
    body.record(&api, &actor, (WaiverKind::SignOff, "sign-offs")).await
}
