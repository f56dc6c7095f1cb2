//! `GET /api/v1/composes`: the newest composes, and what each holds of a package.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::composes::ComposeView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;
use crate::api::v1::images::list::PackageQuery;

/// Which composes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this artifact.
    artifact: Option<ArtifactKey>,
    /// Say of each what it holds of this package: `zlib`, or, with an artifact, `zlib<1.3-2.f44`.
    #[param(value_type = Option<String>, example = "zlib")]
    contains: Option<PackageQuery>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest composes. Asked for a package, each says whether it contains it in a version that was asked for, in another
/// one, or not at all.
#[utoipa::path(
    get,
    path = "/composes",
    tag = "composes",
    operation_id = "list_composes",
    params(Wanted),
    responses(
        (status = 200, description = "The newest composes.", body = Listing<ComposeView>),
        (status = 422, description = "A version is asked for without an artifact."),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<ComposeView>, Problem> {
    let Wanted { artifact, contains, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let contains = contains.map(|PackageQuery(package)| package);
    let found = api.admin.composes_with(artifact.as_ref(), contains.as_ref(), page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.build.to_string())))
}
