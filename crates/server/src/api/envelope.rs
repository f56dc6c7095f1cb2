//! Around every request: its id, its time limit, what becomes of a panic, and that every error is a problem.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::Api;
use super::problem::{Kind, MEDIA_TYPE, Problem};
use crate::clock::{Stopwatch, mint};

/// The header that carries a request's id, both ways.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's, or one that is made here.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Answers in any case, and says in the log what was asked.
pub(super) async fn wrap(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let watch = Stopwatch::start();
    // What a handler that panics leaves behind is a transaction that is undone.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let limit = api.config.api.timeout_seconds;
    let mut response = match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => as_problem(response),
        Ok(Err(_)) => {
            tracing::error!(request = id, %method, %uri, "a handler panicked");
            Problem::new(Kind::Internal, "the server made a mistake: its log says more")
                .into_response()
        }
        Err(_) => {
            let detail = format!("it was not done within {} seconds", limit.as_secs());
            Problem::new(Kind::TimedOut, detail).into_response()
        }
    };
    let status = response.status().as_u16();
    let took = watch.elapsed();
    tracing::debug!(request = id, %method, %uri, status, ?took, "answered");
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// An id that can stand in a log; another one is made in place of a strange one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let is_sane = |id: &&str| {
        (1..=100).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    given.filter(is_sane).map_or_else(|| mint::<Uuid>().to_string(), str::to_owned)
}

/// The router's own errors have no body.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    // A page tells people of it.
    let is_told =
        |kind: &HeaderValue| kind == MEDIA_TYPE || kind.as_bytes().starts_with(b"text/html");
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(is_told);
    if !is_error || told {
        return response;
    }
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "the header Allow names the methods this address takes",
        _ => "the request could not be taken",
    };
    Problem::of(&response, detail).into_response()
}
