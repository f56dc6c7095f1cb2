//! `GET /api/v1/artifacts`: the artifacts there are, or those of a name.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use model::artifact::ArtifactKind;
use serde::Deserialize;
use store::artifacts::ArtifactFilter;
use utoipa::IntoParams;

use crate::admin::BranchName;
use crate::admin::catalogue::ArtifactEntry;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, one_more};
use crate::api::problem::Problem;

/// Which artifacts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of exactly this name.
    name: Option<String>,
    /// With this text in their names, whatever its case.
    search: Option<String>,
    /// Of this kind.
    kind: Option<ArtifactKind>,
    /// On this branch.
    branch: Option<BranchName>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Artifacts, sorted by name, kind and branch.
#[utoipa::path(
    get,
    path = "/artifacts",
    tag = "artifacts",
    operation_id = "list_artifacts",
    params(Wanted),
    responses((status = 200, description = "The artifacts.", body = Listing<ArtifactEntry>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<ArtifactEntry>, Problem> {
    let Wanted { name, search, kind, branch, limit, after } = wanted;
    let after = after.map(|after| after.parse()).transpose()?;
    let filter = ArtifactFilter { name, containing: search, kind, branch };
    let found = api.admin.catalogue(&filter, after.as_ref(), one_more(limit)).await?;
    Ok(listed(&uri, found, limit, |last| ("after", last.artifact.to_string())))
}
