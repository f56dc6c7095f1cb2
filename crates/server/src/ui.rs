//! The pages: what moves, what waits, why, and what a person can do about it.
//!
//! They show the same answers as the command line and the API (`admin/`), one file for each page. Nothing is asked of
//! other machines, no script stands inside a page, and everything works without scripts, only not by itself.

mod assets;
mod page;

mod charts;
mod links;
mod moments;
mod tables;
mod words;

mod forms;
mod fresh;
mod recorded;
mod trouble;
mod visitor;

mod graph;
mod ledger;

mod overview;

mod events;

mod plan;
mod plans;

mod artifact;
mod artifacts;

mod build;
mod builds;

mod composes;
mod package;

mod images;

mod rules;

mod gates;
mod holds;
mod requests;

mod search;
mod whereabouts;

mod session;

#[cfg(test)]
mod testing;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;

pub(crate) use trouble::no_page;

use crate::api::Api;

/// The longest form anybody sends, in bytes.
const LONGEST: usize = 64 << 10;

/// What pages are made from.
pub(crate) struct Ui {
    api: Arc<Api>,
    seal: visitor::Seal,
    sketches: graph::Sketches,
}

/// Every page.
pub(crate) fn router(api: &Arc<Api>) -> Router {
    let ui = Arc::new(Ui {
        api: Arc::clone(api),
        seal: visitor::Seal::new(),
        sketches: graph::Sketches::default(),
    });
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/live", get(overview::part))
        .route("/events", get(events::show))
        .route("/events/{number}", get(events::one))
        .route("/plans", get(plans::show))
        .route("/plans/{number}", get(plan::show))
        .route("/plans/{number}/live", get(plan::part))
        .route("/plans/{number}/{act}", get(plan::ask).post(plan::send))
        .route("/artifacts", get(artifacts::show))
        .route("/artifacts/{kind}/{name}/{*branch}", get(artifact::show))
        .route("/builds", get(builds::show))
        .route("/builds/{name}", get(build::show))
        .route("/builds/{name}/live", get(build::part))
        .route("/builds/{name}/log", get(build::more))
        .route("/builds/{name}/log.txt", get(build::raw))
        .route("/tests/{run}/{case}", get(build::test))
        .route("/packages/{name}/{*branch}", get(package::show))
        .route("/images", get(images::show))
        .route("/images/{name}", get(images::one))
        .route("/composes", get(composes::show))
        .route("/composes/{name}", get(composes::one))
        .route("/gates", get(gates::show))
        .route("/gates/live", get(gates::part))
        .route("/gates/{act}", get(gates::ask).post(gates::send))
        .route("/holds/new", get(holds::ask).post(holds::send))
        .route("/holds/release", get(holds::ask_release).post(holds::send_release))
        .route("/requests/new", get(requests::ask).post(requests::send))
        .route("/rules", get(rules::show))
        .route("/rules/{id}", get(rules::one))
        .route("/search", get(search::show))
        .route("/where", get(whereabouts::ask))
        .route("/where/{*name}", get(whereabouts::show))
        .route("/session", get(session::ask).post(session::enter))
        .route("/session/end", axum::routing::post(session::end))
        .layer(from_fn_with_state(Arc::clone(&ui), recorded::record))
        .layer(from_fn_with_state(Arc::clone(&ui), fresh::conditional))
        .with_state(ui);
    pages
        .route("/assets/{name}", get(assets::show))
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(map_response(guarded))
}

/// What browsers are told to refuse on our behalf.
const GUARDS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

async fn guarded(mut response: Response) -> Response {
    for (name, value) in GUARDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
