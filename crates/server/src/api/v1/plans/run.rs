//! `POST /api/v1/plans/NUMBER/run`: lets a plan start now.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use pipeline::plan::report::PlanReport;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::{self, Admin};
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::etag::if_match;
use crate::api::input::{Body, Path};
use crate::api::problem::Problem;

/// Who intervenes, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intervention {
    /// Why; kept with the decision.
    #[schema(min_length = 1)]
    reason: String,
    /// The person for whom the token acts, if it is not the one it is named after.
    on_behalf_of: Option<String>,
}

impl Intervention {
    /// Signed by whoever the token belongs to, and bound to what they have seen.
    pub(crate) fn signed(
        self,
        actor: &Actor,
        headers: &HeaderMap,
    ) -> Result<admin::Signature, Problem> {
        let author = actor.author(self.on_behalf_of.as_deref());
        Ok(admin::Signature { author, reason: self.reason, seen: if_match(headers)? })
    }
}

/// Lets a plan start now instead of waiting for more of the same. Needs the scope `plans`.
#[utoipa::path(
    post,
    path = "/plans/{number}/run",
    tag = "plans",
    operation_id = "run_plan",
    params(
        ("number" = i64, Path, description = "Its public number."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` under which the plan was seen."),
    ),
    request_body = Intervention,
    responses(
        (status = 200, description = "The plan as it is now.", body = PlanReport),
        (status = 404, description = "There is no such plan."),
        (status = 409, description = "It has started already."),
        (status = 412, description = "It is not any more what `If-Match` says."),
        (status = 422, description = "The reason is empty."),
    ),
)]
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(intervention): Body<Intervention>,
) -> Result<Json<PlanReport>, Problem> {
    let signature = intervention.signed(&actor, &headers)?;
    let run = async move |admin: &Admin| admin.run_plan(number, &signature).await;
    api.intervene(run).await.map(Json)
}
