//! Errors as the API tells them: `application/problem+json` (RFC 9457).

use std::fmt::Write as _;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::AdminError;

/// What kind of trouble it is. `type` in the answer is the address of its explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A parameter or a body cannot be read.
    Invalid,
    /// The request carries no token that is known.
    Unauthorized,
    /// The token is not good for this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// It does not go with how things stand.
    Conflict,
    /// It has changed since the client looked.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The log does not go so far.
    RangeNotSatisfiable,
    /// What is asked for makes no sense.
    Refused,
    /// Too many requests.
    TooManyRequests,
    /// A defect of the server.
    Internal,
    /// The database is away, or the server stops.
    Unavailable,
    /// It took too long.
    TimedOut,
}

impl Kind {
    /// Every kind, with its status, its name in addresses, and what a client should do.
    const ALL: [(Self, StatusCode, &'static str, &'static str); 15] = [
        (
            Self::Invalid,
            StatusCode::BAD_REQUEST,
            "invalid",
            "A parameter or the body cannot be read. `place` names it: `query.limit`, `path.number`, `body.reason`. Mend it; the same request will never succeed.",
        ),
        (
            Self::Unauthorized,
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "This needs `Authorization: Bearer TOKEN` with a token that is valid: `millstream token create NAME --scope SCOPE` makes one.",
        ),
        (
            Self::Forbidden,
            StatusCode::FORBIDDEN,
            "forbidden",
            "The token is valid, and not good for this; or the request comes from a page of another site. `detail` names the scope that is missing.",
        ),
        (
            Self::NotFound,
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing here. `detail` says where to look for those there are.",
        ),
        (
            Self::MethodNotAllowed,
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The address does not take this method; the header `Allow` names those it takes.",
        ),
        (
            Self::Conflict,
            StatusCode::CONFLICT,
            "conflict",
            "It does not go with how things stand: a plan that has started cannot be started. `detail` says what to do first.",
        ),
        (
            Self::PreconditionFailed,
            StatusCode::PRECONDITION_FAILED,
            "precondition-failed",
            "It is not any more what `If-Match` says. Look again, then decide again.",
        ),
        (
            Self::TooLarge,
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is larger than `detail` says.",
        ),
        (
            Self::UnsupportedMediaType,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send JSON, with `Content-Type: application/json`.",
        ),
        (
            Self::RangeNotSatisfiable,
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range-not-satisfiable",
            "The log does not go so far; the header `Content-Range` says how long it is.",
        ),
        (
            Self::Refused,
            StatusCode::UNPROCESSABLE_ENTITY,
            "refused",
            "The request is well-formed and makes no sense: an end that is past, an artifact nobody knows. `detail` says what is wrong.",
        ),
        (
            Self::TooManyRequests,
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Wait for as many seconds as the header `Retry-After` says.",
        ),
        (
            Self::Internal,
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "A defect of the server. Its log has more under the id in the header `X-Request-Id`.",
        ),
        (
            Self::Unavailable,
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The database is away, or the server is stopping. Nothing was done; try again.",
        ),
        (
            Self::TimedOut,
            StatusCode::GATEWAY_TIMEOUT,
            "timed-out",
            "It took too long. A write may have been done all the same: look, then try again.",
        ),
    ];

    fn entry(self) -> (StatusCode, &'static str) {
        let found = Self::ALL.iter().find(|(kind, ..)| *kind == self);
        found.map_or((StatusCode::INTERNAL_SERVER_ERROR, "internal"), |(_, status, name, _)| {
            (*status, *name)
        })
    }

    /// The kind of an answer that has only a status.
    fn of(status: StatusCode) -> Self {
        let found = Self::ALL.iter().find(|(_, own, ..)| *own == status);
        match found {
            Some((kind, ..)) => *kind,
            None if status.is_server_error() => Self::Internal,
            None => Self::Invalid,
        }
    }
}

/// What went wrong with a request.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    /// What is wrong, and what to do next.
    detail: String,
    /// Where in the request.
    place: Option<String>,
    headers: HeaderMap,
}

/// The media type of problems.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem as it is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// The address of an explanation of this kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in a few words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do next.
    detail: &'a str,
    /// Where in the request: `query.NAME`, `path.NAME`, `header.NAME`, `body` or `body.FIELD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), place: None, headers: HeaderMap::new() }
    }

    /// Something in the request cannot be read.
    pub(crate) fn invalid(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..Self::new(Kind::Invalid, detail) }
    }

    /// With a header in the answer.
    pub(crate) fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    /// An answer that has a status and nothing else, with its headers kept.
    pub(crate) fn of(response: &Response, detail: impl Into<String>) -> Self {
        let mut headers = response.headers().clone();
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        Self { headers, ..Self::new(Kind::of(response.status()), detail) }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let kind = match error {
            store::Error::Unavailable(_) => Kind::Unavailable,
            store::Error::Conflict(_) => Kind::Conflict,
            _ => Kind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let kind = match error {
            AdminError::Store(error) => return error.into(),
            AdminError::Input(_) => Kind::Refused,
            AdminError::NotFound(_) => Kind::NotFound,
            AdminError::Unfit(_) => Kind::Conflict,
            AdminError::Outdated(_) => Kind::PreconditionFailed,
            AdminError::Outside(_) => Kind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name) = self.kind.entry();
        let body = ProblemBody {
            kind: format!("/docs/problems#{name}"),
            title: status.canonical_reason().unwrap_or(name),
            status: status.as_u16(),
            detail: &self.detail,
            place: self.place.as_deref(),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// `GET /docs/problems`: what each kind of problem means, and what to do about it.
pub(super) async fn explain() -> impl IntoResponse {
    let mut page = String::from("<!doctype html><title>Problems</title><h1>Problems</h1>\n");
    for (_, status, name, meaning) in Kind::ALL {
        let meaning = meaning.replace('&', "&amp;").replace('<', "&lt;");
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<h2 id=\"{name}\">{name} ({})</h2><p>{meaning}", status.as_u16());
    }
    axum::response::Html(page)
}
