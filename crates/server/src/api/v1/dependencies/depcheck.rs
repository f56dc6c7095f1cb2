//! `GET /api/v1/depcheck`: what would break if the outputs of a plan were merged into what is published, or packages
//! removed from it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::{AdminError, BranchName};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::problem::Problem;
use crate::dependencies::depcheck::{Depcheck, Hypothesis, Side};
use crate::dependencies::threaded;

/// What is thought to change.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The branch whose published repository is asked.
    branch: BranchName,
    /// Names of packages that are removed, separated by commas.
    #[param(example = "zlib, zlib-devel")]
    #[serde(default)]
    without: String,
    /// The number of a plan of the branch, whose outputs are merged that passed their gates and are not published yet.
    plan: Option<i64>,
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

/// What would stop being installable if the outputs of a plan were merged into what is published, or packages removed from
/// it. Nothing is changed. Other repositories are merged in thought by `millstream depcheck --with`, which reads them where
/// they lie.
#[utoipa::path(
    get,
    path = "/depcheck",
    tag = "dependencies",
    operation_id = "depcheck",
    params(Wanted),
    responses(
        (status = 200, description = "What would come of it.", body = Checked),
        (status = 404, description = "Nothing was published on the branch yet; or there is no such plan, or what it built is not kept any more."),
        (status = 422, description = "No package is called so, the plan is of another branch, or nothing would change."),
    ),
)]
pub(crate) async fn depcheck(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Checked>, Problem> {
    let names = wanted.without.split(',').map(str::trim).filter(|name| !name.is_empty());
    let without: Vec<String> = names.map(str::to_owned).collect();
    let with = match wanted.plan {
        Some(plan) => vec![Side::Files(api.admin.passed_packages(plan, &wanted.branch).await?)],
        None if without.is_empty() => {
            let nothing = "say what would change: `without` or `plan`".to_owned();
            return Err(AdminError::Input(nothing).into());
        }
        None => Vec::new(),
    };
    let generation = api.repositories.generation(&wanted.branch).await?;
    let number = generation.number.clone();
    let hypothesis = Hypothesis { with, without };
    let found = threaded(move || {
        if hypothesis.with.is_empty() {
            return generation.packages().depcheck(&hypothesis, &[], 1);
        }
        let mut apart = generation.packages().apart()?;
        apart.depcheck(&hypothesis, &[], 1)
    });
    let found = found.await?;
    Ok(Json(Checked { generation: number, harmless: found.is_harmless(), found }))
}
