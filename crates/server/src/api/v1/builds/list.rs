//! `GET /api/v1/builds`: the newest builds.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::builds::BuildView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which builds.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this artifact.
    artifact: Option<ArtifactKey>,
    /// In the state of this name: queued, running, succeeded, failed or cancelled.
    #[param(example = "failed")]
    state: Option<String>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest builds.
#[utoipa::path(
    get,
    path = "/builds",
    tag = "builds",
    operation_id = "list_builds",
    params(Wanted),
    responses((status = 200, description = "The newest builds.", body = Listing<BuildView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<BuildView>, Problem> {
    let Wanted { artifact, state, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let found = api.admin.builds(artifact.as_ref(), state.as_deref(), page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
