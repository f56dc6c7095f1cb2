//! `GET /api/v1/events/NUMBER/rules`: which rules apply to an event.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pipeline::rules::explain::Explanation;

use crate::admin::rules::Subject;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// Which rules apply to an event, why the others do not, and what they come to.
#[utoipa::path(
    get,
    path = "/events/{number}/rules",
    tag = "events",
    operation_id = "rules_of_event",
    params(("number" = i64, Path, description = "Its public number.")),
    responses(
        (status = 200, description = "What every rule says.", body = Explanation),
        (status = 404, description = "There is no such event."),
    ),
)]
pub(crate) async fn rules(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<Explanation>, Problem> {
    Ok(Json(api.admin.explain_rules(&Subject::Event(number)).await?))
}
