//! `GET /api/v1/events/NUMBER`: an event with everything that followed from it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::admin::events::EventDetail;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// An event with the plans that answer it and the decisions taken on its account.
#[utoipa::path(
    get,
    path = "/events/{number}",
    tag = "events",
    operation_id = "show_event",
    params(("number" = i64, Path, description = "Its public number.")),
    responses(
        (status = 200, description = "The event.", body = EventDetail),
        (status = 404, description = "There is no such event."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
) -> Result<Json<EventDetail>, Problem> {
    Ok(Json(api.admin.event(number).await?))
}
