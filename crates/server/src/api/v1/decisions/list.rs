//! `GET /api/v1/decisions`: the newest decisions.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use model::decision::DecisionKind;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::ArtifactKey;
use crate::admin::ledger::{DecisionView, DecisionsWanted};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listed, Listing, listed, page};
use crate::api::problem::Problem;

/// Which decisions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// In the plan of this public number.
    plan: Option<i64>,
    /// About this artifact.
    artifact: Option<ArtifactKey>,
    /// On account of the event of this public number.
    event: Option<i64>,
    /// Of this kind.
    kind: Option<DecisionKind>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    before: Option<Cursor>,
}

/// The newest decisions, each with its reason.
#[utoipa::path(
    get,
    path = "/decisions",
    tag = "decisions",
    operation_id = "list_decisions",
    params(Wanted),
    responses(
        (status = 200, description = "The newest decisions.", body = Listing<DecisionView>),
        (status = 404, description = "There is no such plan or event."),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Listed<DecisionView>, Problem> {
    let Wanted { plan, artifact, event, kind, limit, before } = wanted;
    let page = page(limit, before.as_ref())?;
    let wanted = DecisionsWanted { plan, artifact, event, kind };
    let found = api.admin.decisions(&wanted, page).await?;
    Ok(listed(&uri, found, limit, |last| ("before", last.number.to_string())))
}
