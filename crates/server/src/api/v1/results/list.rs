//! `GET /api/v1/results`: the newest results of tests.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::gates::ResultView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which results.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this build, by its number or its NVR.
    build: Option<String>,
    /// Of this artifact's tests.
    artifact: Option<ArtifactKey>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest results of tests.
#[utoipa::path(
    get,
    path = "/results",
    tag = "results",
    operation_id = "list_results",
    params(Wanted),
    responses(
        (status = 200, description = "The newest results.", body = Listing<ResultView>),
        (status = 404, description = "There is no such build."),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<ResultView>, Problem> {
    let Wanted { build, artifact, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let found = api.admin.results(build.as_deref(), artifact.as_ref(), page).await?;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
