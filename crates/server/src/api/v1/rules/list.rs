//! `GET /api/v1/rules`: the rules by which changes are followed.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::rules::RuleView;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, one_more};
use crate::api::problem::Problem;

/// How many rules.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// The rules, those that are switched off among them, by id.
#[utoipa::path(
    get,
    path = "/rules",
    tag = "rules",
    operation_id = "list_rules",
    params(Wanted),
    responses((status = 200, description = "The rules.", body = Listing<RuleView>)),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(Wanted { limit, after }): Query<Wanted>,
) -> Result<Listed<RuleView>, Problem> {
    let after = after.map(|after| after.parse()).transpose()?;
    let all = api.admin.rules()?.0.into_iter();
    let rest = all.filter(|rule| after.as_ref().is_none_or(|after| rule.id > *after));
    let found = rest.take(one_more(limit) as usize).collect();
    Ok(listed(&uri, found, limit, |last: &RuleView| ("after", last.id.to_string())))
}
