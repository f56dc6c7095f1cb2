//! `POST /api/v1/holds`: freezes or holds an artifact.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::holds::{HoldView, NewHold};
use crate::admin::time::Moment;
use crate::admin::{Admin, ArtifactKey, HoldKind};
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::Body;
use crate::api::problem::Problem;
use crate::api::v1::waivers::create::Created;

/// What is to be stopped, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldBody {
    /// `freeze` leaves it out of plans, `hold` keeps its steps from starting.
    kind: HoldKind,
    /// The artifact.
    artifact: ArtifactKey,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
    /// Until when; until it is released if it is left out.
    until: Option<Moment>,
    /// The person for whom the token acts, if it is not the one it is named after.
    on_behalf_of: Option<String>,
}

/// Leaves an artifact out of plans for a while, or keeps its steps from starting. Needs the scope `holds`.
#[utoipa::path(
    post,
    path = "/holds",
    tag = "holds",
    operation_id = "create_hold",
    request_body = HoldBody,
    responses(
        (status = 201, description = "It is stopped; the header `Location` has the address of the hold.", body = HoldView),
        (status = 409, description = "It is stopped in this way already."),
        (status = 422, description = "The reason is empty, the end is past, or nothing is known of the artifact."),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Body(body): Body<HoldBody>,
) -> Result<Created<HoldView>, Problem> {
    let HoldBody { kind, artifact, reason, until, on_behalf_of } = body;
    let author = actor.author(on_behalf_of.as_deref());
    let new = NewHold { kind, artifact, author, reason, until };
    let hold = api.intervene(async move |admin: &Admin| admin.hold(&new).await).await?;
    let place = format!("/api/v1/holds/{}", hold.number);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(hold)))
}
