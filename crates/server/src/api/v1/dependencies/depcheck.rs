//! `GET /api/v1/depcheck`: what would break if packages were removed from what is published.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::{AdminError, BranchName};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::problem::Problem;
use crate::dependencies::depcheck::{Depcheck, Hypothesis};

/// What is thought to change.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The branch whose published repository is asked.
    branch: BranchName,
    /// Names of packages that are removed, separated by commas.
    #[param(example = "zlib, zlib-devel")]
    without: String,
}

/// What would come of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checked {
    /// The generation of the repository that answered.
    generation: String,
    /// Whether nothing breaks.
    harmless: bool,
    /// What breaks and what is mended.
    #[serde(flatten)]
    found: Depcheck,
}

/// What would stop being installable if packages were removed from what is published. Nothing is changed. Merging a side
/// repository is tried by `millstream depcheck --with`, which reads it where it lies.
#[utoipa::path(
    get,
    path = "/depcheck",
    tag = "dependencies",
    operation_id = "depcheck",
    params(Wanted),
    responses(
        (status = 200, description = "What would come of it.", body = Checked),
        (status = 404, description = "Nothing was published on the branch yet."),
        (status = 422, description = "No package is called so."),
    ),
)]
pub(crate) async fn depcheck(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Checked>, Problem> {
    let generation = api.repositories.generation(&wanted.branch).await?;
    let names = wanted.without.split(',').map(str::trim).filter(|name| !name.is_empty());
    let hypothesis = Hypothesis { with: Vec::new(), without: names.map(str::to_owned).collect() };
    let number = generation.number.clone();
    let checked =
        tokio::task::spawn_blocking(move || generation.packages().depcheck(&hypothesis, &[], 1));
    let found = checked.await.map_err(AdminError::outside)??;
    Ok(Json(Checked { generation: number, harmless: found.is_harmless(), found }))
}
