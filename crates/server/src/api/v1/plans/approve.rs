//! `POST /api/v1/plans/NUMBER/approve`: allows a plan to touch more than its rule does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use pipeline::plan::report::PlanReport;

use super::run::Intervention;
use crate::admin::Admin;
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::{Body, Path};
use crate::api::problem::Problem;

/// Allows a plan to touch more than its rule does. The server makes it again, with what is known then. Needs the scope
/// `plans`.
#[utoipa::path(
    post,
    path = "/plans/{number}/approve",
    tag = "plans",
    operation_id = "approve_plan",
    params(
        ("number" = i64, Path, description = "Its public number."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` under which the plan was seen."),
    ),
    request_body = Intervention,
    responses(
        (status = 200, description = "The plan as it is now.", body = PlanReport),
        (status = 404, description = "There is no such plan."),
        (status = 409, description = "It waits for no approval."),
        (status = 412, description = "It is not any more what `If-Match` says."),
        (status = 422, description = "The reason is empty."),
    ),
)]
pub(crate) async fn approve(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(intervention): Body<Intervention>,
) -> Result<Json<PlanReport>, Problem> {
    let signature = intervention.signed(&actor, &headers)?;
    let approve = async move |admin: &Admin| admin.approve_plan(number, &signature).await;
    api.intervene(approve).await.map(Json)
}
