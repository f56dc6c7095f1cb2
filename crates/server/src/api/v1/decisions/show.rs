//! `GET /api/v1/decisions/NUMBER`: a line of the ledger.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::ledger::DecisionView;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// A decision with its reason, as a sentence and as data.
#[utoipa::path(
    get,
    path = "/decisions/{number}",
    tag = "decisions",
    operation_id = "show_decision",
    params(("number" = i64, Path, description = "Its place in the ledger.")),
    responses(
        (status = 200, description = "The decision.", body = DecisionView),
        (status = 404, description = "There is no such decision."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<DecisionView>, Problem> {
    Ok(Json(api.admin.decision(number).await?))
}
