//! `GET /api/v1/holds`: what is frozen and held.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::holds::HoldView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which freezes and holds.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this artifact.
    artifact: Option<ArtifactKey>,
    /// Those that are over, too.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest freezes and holds: those in force, or all.
#[utoipa::path(
    get,
    path = "/holds",
    tag = "holds",
    operation_id = "list_holds",
    params(Wanted),
    responses((status = 200, description = "The newest freezes and holds.", body = Listing<HoldView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<HoldView>, Problem> {
    let Wanted { artifact, all, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let found = api.admin.holds(artifact.as_ref(), all, page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
