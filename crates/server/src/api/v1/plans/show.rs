//! `GET /api/v1/plans/NUMBER`: a plan with where its steps stand, and where the change stopped.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pipeline::plan::report::PlanReport;

use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// A plan with its steps, and the edges at which the change stopped. Its `ETag` is good for `If-Match` of what can be done
/// with it.
#[utoipa::path(
    get,
    path = "/plans/{number}",
    tag = "plans",
    operation_id = "show_plan",
    params(("number" = i64, Path, description = "Its public number.")),
    responses(
        (status = 200, description = "The plan.", body = PlanReport),
        (status = 404, description = "There is no such plan."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<PlanReport>, Problem> {
    Ok(Json(api.admin.plan(number).await?))
}
