//! `GET /api/v1/artifacts/KIND/NAME/BRANCH/rules`: which rules may apply to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pipeline::rules::explain::Explanation;

use super::address::Address;
use crate::admin::rules::Subject;
use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::Problem;

/// Which rules may apply to an artifact, whatever the event, and why the others do not.
#[utoipa::path(
    get,
    path = "/artifacts/{kind}/{name}/{branch}/rules",
    tag = "artifacts",
    operation_id = "rules_of_artifact",
    params(Address),
    responses(
        (status = 200, description = "What every rule says.", body = Explanation),
        (status = 404, description = "Nothing is known of it."),
    ),
)]
pub(crate) async fn rules(
    State(api): State<Arc<Api>>,
    Path(address): Path<Address>,
) -> Result<Json<Explanation>, Problem> {
    let artifact = address.into();
    api.admin.is_known(&artifact).await?;
    Ok(Json(api.admin.explain_rules(&Subject::Artifact(artifact)).await?))
}
