//! `GET /api/v1/rules/ID`: a rule.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::rule::RuleId;

use crate::admin::rules::RuleView;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::{Kind, Problem};

/// A rule. What it decided is under `/decisions` and in the stops of plans.
#[utoipa::path(
    get,
    path = "/rules/{id}",
    tag = "rules",
    operation_id = "show_rule",
    params(("id" = RuleId, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The rule.", body = RuleView),
        (status = 404, description = "There is no such rule."),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Path(id): Path<RuleId>,
) -> Result<Json<RuleView>, Problem> {
    let found = api.admin.rules()?.0.into_iter().find(|rule| rule.id == id);
    let none = || Problem::new(Kind::NotFound, format!("there is no rule {id}"));
    found.map(Json).ok_or_else(none)
}
