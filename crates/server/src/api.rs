//! The HTTP API: messages and interventions in, answers and figures out.

mod health;
mod metrics;

// From the socket inwards; blank lines keep rustfmt from sorting them.

mod envelope;
mod problem;

mod limits;

mod access;
mod audited;
#[cfg(feature = "oidc")]
mod auth;

mod etag;

mod input;
mod listing;
mod news;

mod document;
mod v1;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use model::clock::Clock;
use store::Store;
use store::changes::Place;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use utoipa::openapi::OpenApi;

use limits::Limits;
use problem::{Kind, Problem};
use v1::messages::writer::Writer;

use crate::admin::{Admin, AdminError};
use crate::config::Config;
use crate::context::{Context, Wakes};
use crate::reconcile::Stage;
use crate::running::Running;

/// What every request works with.
pub(crate) struct Api {
    config: Config,
    admin: Admin,
    store: Store,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    running: Running,
    writer: Writer,
    limits: Limits,
    #[cfg(feature = "oidc")]
    logins: Option<auth::Logins>,
    /// The place of the newest change.
    news: watch::Receiver<Place>,
    /// Becomes true when the server stops.
    stop: watch::Receiver<bool>,
}

/// What an API is made of.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) running: Running,
}

impl Parts {
    fn of(context: &Context) -> Self {
        Self {
            config: context.config.clone(),
            store: context.store.clone(),
            clock: Arc::clone(&context.clock),
            wakes: Arc::clone(&context.wakes),
            running: context.running.clone(),
        }
    }
}

impl Api {
    fn start(parts: Parts, stop: watch::Receiver<bool>) -> Arc<Self> {
        let Parts { config, store, clock, wakes, running } = parts;
        Arc::new(Self {
            admin: Admin::with(config.clone(), store.clone(), Arc::clone(&clock)),
            writer: v1::messages::writer::start(store.clone(), Arc::clone(&wakes)),
            limits: Limits::new(&config.api),
            #[cfg(feature = "oidc")]
            logins: config.oidc.clone().map(auth::Logins::new),
            news: news::watch(store.clone(), Arc::clone(&wakes), stop.clone()),
            config,
            store,
            clock,
            wakes,
            running,
            stop,
        })
    }

    /// Does what a person asks for, and tells every stage that it was done.
    ///
    /// It runs on a thread of its own to its end: that such a future may move between threads cannot be shown to the
    /// compiler, as it holds closures that borrow a transaction. They are rare, and short.
    async fn intervene<T, F>(self: &Arc<Self>, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Admin) -> Result<T, AdminError> + Send + 'static,
    {
        let api = Arc::clone(self);
        let runtime = Handle::current();
        let done = tokio::task::spawn_blocking(move || runtime.block_on(act(&api.admin))).await;
        let answer = match done {
            Ok(answer) => answer?,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(Problem::new(Kind::Unavailable, "the server is stopping")),
            },
        };
        Stage::ALL.into_iter().for_each(|stage| self.wakes.wake(stage));
        Ok(answer)
    }
}

/// Answers until told to stop.
pub(crate) async fn serve(
    context: Arc<Context>,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) {
    answer(Parts::of(&context), listener, stop).await;
}

async fn answer(parts: Parts, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let (router, _) = router(&Api::start(parts, stop.clone()));
    let stopped = async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the API ended");
    }
}

/// Everything that is answered, and the document that describes it.
fn router(api: &Arc<Api>) -> (Router, OpenApi) {
    let (v1, mut document) = v1::router(api).split_for_parts();
    document::complete(&mut document);
    let text = document.to_json().unwrap_or_default();
    let show_document = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text) }
    };
    #[cfg(feature = "oidc")]
    let v1 = v1.merge(auth::router());
    let limited = v1
        .route("/api/v1/openapi.json", get(show_document))
        .layer(from_fn(etag::tag))
        .layer(DefaultBodyLimit::max(api.config.api.largest_body))
        .layer(from_fn_with_state(Arc::clone(api), limits::admit));
    let router = Router::new()
        .route("/health", get(health::show))
        .route("/metrics", get(metrics::show))
        .route("/docs/problems", get(problem::explain))
        .merge(limited)
        .fallback(async |uri: Uri| {
            let places = "there are /health, /metrics and what /api/v1/openapi.json describes";
            Problem::new(Kind::NotFound, format!("there is no {}: {places}", uri.path()))
        })
        .layer(from_fn_with_state(Arc::clone(api), envelope::wrap))
        .with_state(Arc::clone(api));
    (router, document)
}

#[cfg(test)]
mod tests;
