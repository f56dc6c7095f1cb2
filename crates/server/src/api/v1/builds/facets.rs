//! `GET /api/v1/builds/BUILD/facets`: the aspects of its packages that others may listen to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::facet::Facet;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::facets::FacetList;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::Problem;

/// Which facets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this package or image, with their lines.
    package: Option<String>,
    /// Only this facet.
    facet: Option<Facet>,
}

/// The facets of a build: of all its packages in short, or of one with their lines.
#[utoipa::path(
    get,
    path = "/builds/{build}/facets",
    tag = "builds",
    operation_id = "facets_of_build",
    params(("build" = String, Path, description = "Its number or its NVR."), Wanted),
    responses(
        (status = 200, description = "The facets.", body = FacetList),
        (status = 404, description = "There is no such build, it has no outputs, or made no such package."),
    ),
)]
pub(crate) async fn facets(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<FacetList>, Problem> {
    Ok(Json(api.admin.facets(&build, wanted.package.as_deref(), wanted.facet).await?))
}
