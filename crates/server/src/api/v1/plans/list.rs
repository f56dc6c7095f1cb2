//! `GET /api/v1/plans`: the newest plans.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::BranchName;
use crate::admin::plans::{PlanFilter, PlanView};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which plans.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// On this branch.
    branch: Option<BranchName>,
    /// Only those that are not done.
    #[serde(default)]
    #[param(default = false)]
    open: bool,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest plans.
#[utoipa::path(
    get,
    path = "/plans",
    tag = "plans",
    operation_id = "list_plans",
    params(Wanted),
    responses((status = 200, description = "The newest plans.", body = Listing<PlanView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<PlanView>, Problem> {
    let Wanted { branch, open, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let found = api.admin.plan_list(&PlanFilter { branch, open }, page).await?.0;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
