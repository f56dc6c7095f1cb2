//! What a browser has already is not made again: each page carries a tag of everything it was made from.
//!
//! The tag holds the store's pulse, so that one cheap question tells whether anything changed. It also holds the time in
//! steps, which keeps what is counted from the present, an outlook say, from getting old.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::digest::Digest;

use super::Ui;
use super::visitor::Visitor;

/// How long a page may stay as it is although the store does not change, in microseconds.
const LASTS: i64 = 20_000_000;

/// Answers with 304 what has not changed since the browser saw it.
pub(super) async fn conditional(
    State(ui): State<Arc<Ui>>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::GET || !is_of_store(request.uri().path()) {
        return next.run(request).await;
    }
    let asked = asked(&request);
    let Ok(tag) = tag(&ui, asked).await else { return next.run(request).await };
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let caching = [
        (header::ETAG, HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if known.is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::OK {
        response.headers_mut().extend(caching);
    }
    response
}

/// Whether all of a page comes from the store: logs grow beside it, and forms hold what was entered.
fn is_of_store(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(
        first,
        "" | "live"
            | "plans"
            | "artifacts"
            | "images"
            | "composes"
            | "events"
            | "gates"
            | "search"
            | "where"
    )
}

/// What of a request decides what the page looks like.
fn asked(request: &Request) -> Vec<Vec<u8>> {
    let cookies = request.headers().get_all(header::COOKIE);
    let cookies = cookies.into_iter().map(|cookie| cookie.as_bytes().to_vec());
    std::iter::once(request.uri().to_string().into_bytes()).chain(cookies).collect()
}

async fn tag(ui: &Ui, asked: Vec<Vec<u8>>) -> Result<String, store::Error> {
    let pulse = store::health::pulse(&mut *ui.api.store.read().await?).await?;
    // Another process signs its forms in another way.
    let mut fields = vec![ui.seal.form_token(&Visitor::default()).into_bytes()];
    fields.extend(pulse.iter().map(|number| number.to_be_bytes().to_vec()));
    fields.push((ui.api.clock.now().0 / LASTS).to_be_bytes().to_vec());
    fields.extend(asked);
    Ok(format!("\"{}\"", Digest::of_fields(fields).short()))
}
