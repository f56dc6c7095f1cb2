//! `POST /api/v1/waivers`: accepts that a test is missing, failed or could not be run.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::time::Moment;
use crate::admin::waivers::{NewWaiver, WaiverView};
use crate::admin::{Admin, ArtifactKey, WaiverKind};
use crate::api::Api;
use crate::api::access::Actor;
use crate::api::input::Body;
use crate::api::problem::Problem;

/// What is accepted, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaiverBody {
    /// The artifact whose test it is.
    artifact: ArtifactKey,
    /// The test case.
    #[schema(min_length = 1, example = "tests.hello")]
    case: String,
    /// For the build of this NVR only.
    nvr: Option<String>,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
    /// Until when; what passed before stays passed.
    until: Option<Moment>,
    /// The person for whom the token acts, if it is not the one it is named after.
    on_behalf_of: Option<String>,
}

/// What was created, with its address.
pub(crate) type Created<T> = (StatusCode, [(HeaderName, String); 1], Json<T>);

impl WaiverBody {
    /// Records it as a waiver or a sign-off.
    pub(crate) async fn record(
        self,
        api: &Arc<Api>,
        actor: &Actor,
        (kind, folder): (WaiverKind, &str),
    ) -> Result<Created<WaiverView>, Problem> {
        let Self { artifact, case, nvr, reason, until, on_behalf_of } = self;
        let author = actor.author(on_behalf_of.as_deref());
        let new = NewWaiver { kind, artifact, case, nvr, author, reason, until };
        let recorded = api.intervene(async move |admin: &Admin| admin.waive(&new).await).await?;
        let place = format!("/api/v1/{folder}/{}", recorded.number);
        Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(recorded)))
    }
}

/// Accepts that a test is missing, failed or could not be run. Needs the scope `gate`.
#[utoipa::path(
    post,
    path = "/waivers",
    tag = "gates",
    operation_id = "create_waiver",
    request_body = WaiverBody,
    responses(
        (status = 201, description = "It is recorded; the header `Location` has its address.", body = WaiverView),
        (status = 422, description = "The reason is empty, the end is past, or nothing is known of the artifact or the build."),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    Body(body): Body<WaiverBody>,
) -> Result<Created<WaiverView>, Problem> {
    body.record(&api, &actor, (WaiverKind::Waiver, "waivers")).await
}
