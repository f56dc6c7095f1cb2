//! `GET /api/v1/plans/NUMBER/steps/INDEX`: one step of a plan.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pipeline::plan::report::StepReport;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::input::Path;
use crate::api::problem::{Kind, Problem};

/// Which step.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct Address {
    /// The public number of the plan.
    number: i64,
    /// The step's position in it.
    index: usize,
}

/// One step of a plan: what is done, why, and what it waits for.
#[utoipa::path(
    get,
    path = "/plans/{number}/steps/{index}",
    tag = "plans",
    operation_id = "show_step",
    params(Address),
    responses(
        (status = 200, description = "The step.", body = StepReport),
        (status = 404, description = "There is no such plan, or it has no such step."),
    ),
)]
pub(crate) async fn step(
    State(api): State<Arc<Api>>,
    Path(Address { number, index }): Path<Address>,
) -> Result<Json<StepReport>, Problem> {
    let plan = api.admin.plan(number).await?;
    let count = plan.steps.len();
    let none =
        || Problem::new(Kind::NotFound, format!("plan {number} has {count} steps, counted from 0"));
    plan.steps.into_iter().nth(index).map(Json).ok_or_else(none)
}
