//! `GET /api/v1/whatrequires`: who needs a package, a capability or a file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::BranchName;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::problem::Problem;
use crate::dependencies::requires::{Reach, WhatRequires};

/// What, and how far.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The branch whose published repository is asked.
    branch: BranchName,
    /// A package's name, a capability or a path.
    #[param(example = "libz.so.1()(64bit)")]
    what: String,
    /// Whether those who need these are asked for too, and so on.
    #[serde(default)]
    recursive: bool,
    /// Whether only those count who cannot do without.
    #[serde(default)]
    strict: bool,
}

/// Who needs it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Requirers {
    /// The generation of the repository that answered.
    generation: String,
    /// Who needs it.
    #[serde(flatten)]
    found: WhatRequires,
}

/// Who needs a package, a capability or a file among what is published. The newest generation answers, or the one before
/// while the newest is being loaded.
#[utoipa::path(
    get,
    path = "/whatrequires",
    tag = "dependencies",
    operation_id = "what_requires",
    params(Wanted),
    responses(
        (status = 200, description = "Who needs it; nobody, where nothing is called so or provides it.", body = Requirers),
        (status = 404, description = "Nothing was published on the branch yet."),
    ),
)]
pub(crate) async fn what_requires(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Requirers>, Problem> {
    let generation = api.repositories.generation(&wanted.branch).await?;
    let reach = Reach { recursive: wanted.recursive, strict: wanted.strict };
    let found = generation.packages().what_requires(&wanted.what, reach);
    Ok(Json(Requirers { generation: generation.number.clone(), found }))
}
