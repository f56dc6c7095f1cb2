//! The HTTP API: messages and interventions in, answers and figures out.

mod feed;
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

pub(crate) use access::{Actor, PERSON};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
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
use crate::dependencies::shelf::Shelf;
use crate::graph::GraphCache;
use crate::reconcile::Stage;
use crate::running::Running;
use crate::ui;

/// What every request works with.
pub(crate) struct Api {
    pub(crate) config: Config,
    pub(crate) admin: Admin,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    running: Running,
    pub(crate) graph: Arc<tokio::sync::Mutex<GraphCache>>,
    pub(crate) repositories: Shelf,
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
    pub(crate) graph: Arc<tokio::sync::Mutex<GraphCache>>,
}

impl Parts {
    fn of(context: &Context) -> Self {
        Self {
            config: context.config.clone(),
            store: context.store.clone(),
            clock: Arc::clone(&context.clock),
            wakes: Arc::clone(&context.wakes),
            running: context.running.clone(),
            graph: Arc::clone(&context.graph),
        }
    }
}

impl Api {
    fn start(parts: Parts, stop: watch::Receiver<bool>) -> Arc<Self> {
        let Parts { config, store, clock, wakes, running, graph } = parts;
        Arc::new(Self {
            admin: Admin::with(config.clone(), store.clone(), Arc::clone(&clock)),
            writer: v1::messages::writer::start(store.clone(), Arc::clone(&wakes)),
            limits: Limits::new(&config.api),
            #[cfg(feature = "oidc")]
            logins: config.oidc.clone().map(auth::Logins::new),
            repositories: Shelf::new(config.published_root()),
            news: news::watch(store.clone(), Arc::clone(&wakes), stop.clone()),
            config,
            store,
            clock,
            wakes,
            running,
            graph,
            stop,
        })
    }

    /// Does what a person asks for, and tells every stage that it was done.
    async fn intervene<T, F>(self: &Arc<Self>, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Admin) -> Result<T, AdminError> + Send + 'static,
    {
        Ok(self.change(act).await?)
    }

    /// The same for whoever tells a refusal in another way.
    ///
    /// It runs on a thread of its own to its end: that such a future may move between threads cannot be shown to the
    /// compiler, as it holds closures that borrow a transaction. They are rare, and short.
    pub(crate) async fn change<T, F>(self: &Arc<Self>, act: F) -> Result<T, AdminError>
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
                Err(_) => {
                    let stopping = "the server is stopping".to_owned();
                    return Err(store::Error::Unavailable(stopping).into());
                }
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
        .route("/feed.atom", get(feed::show))
        .route("/docs/problems", get(problem::explain))
        .merge(limited)
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(api), envelope::wrap))
        .with_state(Arc::clone(api))
        .merge(ui::router(api));
    (router, document)
}

/// Programs get a problem, people a page.
async fn nothing_here(uri: Uri, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|kinds| kinds.contains("text/html")) {
        return ui::no_page(&uri);
    }
    let places =
        "there are /health, /metrics, what /api/v1/openapi.json describes, and pages from / on";
    Problem::new(Kind::NotFound, format!("there is no {}: {places}", uri.path())).into_response()
}

#[cfg(test)]
mod tests;
