//! `GET /api/v1/resolve`: what would be installed from what is published.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::BranchName;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::problem::Problem;
use crate::dependencies::question::Asked;
use crate::dependencies::resolve::Resolution;
use crate::dependencies::threaded;

/// What, and from where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The branch whose published repository is asked.
    branch: BranchName,
    /// Names, capabilities, paths, each with a version if it matters, NEVRAs, and rich dependencies in parentheses,
    /// separated by commas.
    #[param(example = "zlib-devel >= 1.3, /usr/bin/make, (vi or emacs)")]
    install: String,
}

/// What would be installed, or why nothing can be.
#[derive(Serialize, ToSchema)]
pub(crate) struct Resolved {
    /// The generation of the repository that answered.
    generation: String,
    /// What came of it.
    #[serde(flatten)]
    resolution: Resolution,
}

/// What would be installed together so that every wish holds, into an empty root. The newest published generation
/// answers, or the one before while the newest is being loaded.
#[utoipa::path(
    get,
    path = "/resolve",
    tag = "dependencies",
    operation_id = "resolve",
    params(Wanted),
    responses(
        (status = 200, description = "What would be installed, or why it cannot be.", body = Resolved),
        (status = 404, description = "Nothing was published on the branch yet."),
        (status = 422, description = "One of the wishes is none."),
    ),
)]
pub(crate) async fn resolve(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Resolved>, Problem> {
    let generation = api.repositories.generation(&wanted.branch).await?;
    let wishes = wanted.install.split(',').map(str::trim).filter(|wish| !wish.is_empty());
    let wishes: Vec<String> = wishes.map(str::to_owned).collect();
    let number = generation.number.clone();
    let asked = Asked { wishes, ..Asked::default() };
    let resolution = threaded(move || generation.packages().resolve(&asked)).await?;
    Ok(Json(Resolved { generation: number, resolution }))
}
