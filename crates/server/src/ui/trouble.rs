//! What is shown when a page cannot be.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::page::{Page, Section};
use crate::admin::{AdminError, ErrorKind};

/// Why a page cannot be shown, or a form was not taken.
#[derive(Debug)]
pub(super) struct Trouble {
    status: StatusCode,
    sentence: String,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// The status it is told with.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// There is no such thing.
    pub(super) fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }
}

impl From<AdminError> for Trouble {
    fn from(error: AdminError) -> Self {
        let status = match (&error, error.kind()) {
            (AdminError::Unfit(_) | AdminError::Outdated(_), _) => StatusCode::CONFLICT,
            // Pages ask for one thing by its name, so wrong input is a name nobody has.
            (_, ErrorKind::Input) => StatusCode::NOT_FOUND,
            (AdminError::Store(store::Error::Conflict(_)), _) => StatusCode::CONFLICT,
            (_, ErrorKind::Outside) => StatusCode::SERVICE_UNAVAILABLE,
            (_, ErrorKind::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        AdminError::Store(error).into()
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::NOT_FOUND => "There is nothing here",
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "This is not allowed",
            StatusCode::SERVICE_UNAVAILABLE => "Something outside does not answer",
            StatusCode::CONFLICT => "Somebody else was first",
            StatusCode::BAD_REQUEST => "This cannot be understood",
            _ => "Something is broken",
        };
        let body = html! {
            h1 { (title) }
            p.lead { (self.sentence) }
            p { a href="/" { "What moves now" } " · " a href="/search" { "Search" } }
        };
        Page { status: self.status, ..Page::new(Section::Elsewhere, title, body) }.into_response()
    }
}

/// A page for an address nobody has.
pub(crate) fn no_page(uri: &Uri) -> Response {
    Trouble::not_found(format!("No page has the address {}.", uri.path())).into_response()
}
