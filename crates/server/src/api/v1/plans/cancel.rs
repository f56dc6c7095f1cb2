//! `POST /api/v1/plans/NUMBER/cancel`: cancels what a plan has not finished.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};

use super::run::Intervention;
use crate::admin::Admin;
use crate::admin::plans::CancelledPlan;
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::{Body, Path};
use crate::api::problem::Problem;

/// Cancels what a plan has not finished, and ends its builds. Needs the scope `plans`.
#[utoipa::path(
    post,
    path = "/plans/{number}/cancel",
    tag = "plans",
    operation_id = "cancel_plan",
    params(
        ("number" = i64, Path, description = "Its public number."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` under which the plan was seen."),
    ),
    request_body = Intervention,
    responses(
        (status = 200, description = "What was cancelled.", body = CancelledPlan),
        (status = 404, description = "There is no such plan."),
        (status = 409, description = "It has no unfinished step."),
        (status = 412, description = "It is not any more what `If-Match` says."),
        (status = 422, description = "The reason is empty."),
    ),
)]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(intervention): Body<Intervention>,
) -> Result<Json<CancelledPlan>, Problem> {
    let signature = intervention.signed(&actor, &headers)?;
    let cancel = async move |admin: &Admin| admin.cancel_plan(number, &signature).await;
    api.intervene(cancel).await.map(Json)
}
