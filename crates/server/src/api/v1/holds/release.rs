//! `POST /api/v1/holds/NUMBER/release`: lets an artifact go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};

use crate::admin::Admin;
use crate::admin::holds::Release;
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::{Body, Path};
use crate::api::problem::Problem;
use crate::api::v1::plans::run::Intervention;

/// Releases a freeze or a hold before its end. What a freeze left out is asked for. Needs the scope `holds`.
#[utoipa::path(
    post,
    path = "/holds/{number}/release",
    tag = "holds",
    operation_id = "release_hold",
    params(
        ("number" = i64, Path, description = "Its public number."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` under which it was seen."),
    ),
    request_body = Intervention,
    responses(
        (status = 200, description = "What was released.", body = Release),
        (status = 404, description = "There is none of this number."),
        (status = 409, description = "It is over already."),
        (status = 412, description = "It is not any more what `If-Match` says."),
        (status = 422, description = "The reason is empty."),
    ),
)]
pub(crate) async fn release(
    State(api): State<Arc<Api>>,
    Path(number): Path<i64>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(intervention): Body<Intervention>,
) -> Result<Json<Release>, Problem> {
    let signature = intervention.signed(&actor, &headers)?;
    let release = async move |admin: &Admin| admin.release_hold(number, &signature).await;
    api.intervene(release).await.map(Json)
}
