//! The HTTP API: messages in, figures out.

mod health;
mod metrics;
mod problem;
mod v1;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use problem::Problem;

use crate::context::Context;

/// Answers until told to stop.
pub(crate) async fn serve(
    context: Arc<Context>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) {
    let writer = v1::messages::writer::start(Arc::clone(&context));
    let router = router(Arc::clone(&context), writer);
    let stopped = async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the API ended");
    }
}

fn router(context: Arc<Context>, writer: v1::messages::writer::Writer) -> Router {
    Router::new()
        .route("/health", get(health::show))
        .route("/metrics", get(metrics::show))
        .fallback(async |uri: Uri| {
            let pages = "there are /health, /metrics and /api/v1/messages";
            Problem::new(StatusCode::NOT_FOUND, format!("there is no {}: {pages}", uri.path()))
        })
        .with_state(Arc::clone(&context))
        .merge(
            Router::new()
                .route("/api/v1/messages", post(v1::messages::create::create))
                .layer(DefaultBodyLimit::max(v1::messages::create::LONGEST))
                .with_state((context, writer)),
        )
}
