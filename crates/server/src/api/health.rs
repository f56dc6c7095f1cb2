//! `GET /health`: 200 when the store answers.

use std::sync::Arc;

use axum::extract::State;

use super::problem::Problem;
use crate::context::Context;

/// Says `ok`, or why not.
pub(super) async fn show(State(context): State<Arc<Context>>) -> Result<&'static str, Problem> {
    store::health::last_progress(&mut *context.store.read().await?).await?;
    Ok("ok\n")
}
