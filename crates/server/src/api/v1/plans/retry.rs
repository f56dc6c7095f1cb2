//! `POST /api/v1/plans/NUMBER/retry`: goes on where a plan stopped.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::retry::{Retried, RetryRequest};
use crate::admin::{Admin, ArtifactKey, Signature};
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::etag::if_match;
use crate::api::input::{Body, Path};
use crate::api::problem::Problem;

/// What is to be tried again, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryBody {
    /// Of this artifact only.
    artifact: Option<ArtifactKey>,
    /// Only steps that failed; those whose gate refuses them are left.
    #[serde(default)]
    failed_only: bool,
    /// Why; kept with the decision.
    #[schema(min_length = 1)]
    reason: String,
    /// The person for whom the token acts, if it is not the one it is named after.
    on_behalf_of: Option<String>,
}

/// Tries again what failed, and has tested again what refused gates object to. Needs the scope `plans`.
#[utoipa::path(
    post,
    path = "/plans/{number}/retry",
    tag = "plans",
    operation_id = "retry_plan",
    params(
        ("number" = i64, Path, description = "Its public number."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` under which the plan was seen."),
    ),
    request_body = RetryBody,
    responses(
        (status = 200, description = "What is tried again, and what is left.", body = Retried),
        (status = 404, description = "There is no such plan."),
        (status = 412, description = "It is not any more what `If-Match` says."),
        (status = 422, description = "The reason is empty."),
    ),
)]
pub(crate) async fn retry(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(body): Body<RetryBody>,
) -> Result<Json<Retried>, Problem> {
    let RetryBody { artifact, failed_only, reason, on_behalf_of } = body;
    let author = actor.author(on_behalf_of.as_deref());
    let signature = Signature { author, reason, seen: if_match(&headers)? };
    let request = RetryRequest { plan: Some(number), artifact, failed_only, signature };
    api.intervene(async move |admin: &Admin| admin.retry(&request).await).await.map(Json)
}
