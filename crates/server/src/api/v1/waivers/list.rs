//! `GET /api/v1/waivers`: the newest waivers.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::waivers::WaiverView;
use crate::admin::{ArtifactKey, WaiverKind};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which waivers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this artifact.
    artifact: Option<ArtifactKey>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest waivers, in force or not.
#[utoipa::path(
    get,
    path = "/waivers",
    tag = "gates",
    operation_id = "list_waivers",
    params(Wanted),
    responses((status = 200, description = "The newest waivers.", body = Listing<WaiverView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<WaiverView>, Problem> {
    let Wanted { artifact, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let kind = Some(WaiverKind::Waiver);
    let found = api.admin.waivers(artifact.as_ref(), kind, page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
