//! `GET /health`: 200 when the store answers.

use std::sync::Arc;

use axum::extract::State;

use super::Api;
use super::problem::Problem;

/// Says `ok`, or why not.
pub(super) async fn show(State(api): State<Arc<Api>>) -> Result<&'static str, Problem> {
    store::health::last_progress(&mut *api.store.read().await?).await?;
    Ok("ok\n")
}
