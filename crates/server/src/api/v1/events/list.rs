//! `GET /api/v1/events`: the newest events.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use model::event::EventState;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::events::EventView;
use crate::admin::{ArtifactKey, EventFilter};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// About this artifact.
    artifact: Option<ArtifactKey>,
    /// Of this kind.
    #[param(example = "committed")]
    kind: Option<String>,
    /// In this state.
    state: Option<EventState>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest events.
#[utoipa::path(
    get,
    path = "/events",
    tag = "events",
    operation_id = "list_events",
    params(Wanted),
    responses((status = 200, description = "The newest events.", body = Listing<EventView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<EventView>, Problem> {
    let Wanted { artifact, kind, state, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let found = api.admin.events(&EventFilter { artifact, kind, state }, page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
