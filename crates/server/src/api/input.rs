//! Parameters and bodies, or a problem that names the place.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;

use super::listing::encoded;
use super::problem::{Kind, Problem};

/// The query.
pub(super) struct Query<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = axum::extract::Query::try_from_uri(&parts.uri);
        found.map(|axum::extract::Query(query)| Self(query)).map_err(|rejection| {
            let text = rejection.body_text();
            let (place, detail) = placed(&text, QUERY);
            Problem::invalid(join("query", place), detail)
        })
    }
}

/// The parameters in the path.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        let rejection = match found {
            Ok(axum::extract::Path(path)) => return Ok(Self(path)),
            Err(rejection) => rejection,
        };
        let PathRejection::FailedToDeserializePathParams(error) = &rejection else {
            return Err(Problem::of(&rejection.into_response(), "the path could not be read"));
        };
        if let ErrorKind::InvalidUtf8InPathParam { key } = error.kind() {
            return Err(Problem::invalid(format!("path.{key}"), error.body_text()));
        }
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters: Vec<(String, String)> = parameters
            .iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Err(misread::<T>(&parameters, error.body_text()))
    }
}

/// Which parameter it was: the only one, or the one that is not read as part of a query either, whose errors have names.
fn misread<T: DeserializeOwned>(parameters: &[(String, String)], text: String) -> Problem {
    if let [(name, _)] = parameters {
        return Problem::invalid(format!("path.{name}"), text);
    }
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let query = format!("/?{}", pairs.collect::<Vec<_>>().join("&")).parse().unwrap_or_default();
    match axum::extract::Query::<T>::try_from_uri(&query) {
        Err(rejection) => {
            let text = rejection.body_text();
            let (place, detail) = placed(&text, QUERY);
            Problem::invalid(join("path", place), detail)
        }
        Ok(_) => Problem::invalid("path", text),
    }
}

/// How axum begins what is wrong with a query.
const QUERY: &str = "Failed to deserialize query string: ";

/// The body, as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let found = axum::Json::from_request(request, state).await;
        found.map(|axum::Json(body)| Self(body)).map_err(|rejection| unreadable(&rejection))
    }
}

fn unreadable(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    match rejection {
        JsonRejection::JsonDataError(_) => {
            let start = "Failed to deserialize the JSON body into the target type: ";
            let (place, detail) = placed(&text, start);
            Problem::invalid(join("body", place), detail)
        }
        JsonRejection::JsonSyntaxError(_) => Problem::invalid("body", text),
        JsonRejection::MissingJsonContentType(_) => Problem::new(Kind::UnsupportedMediaType, text),
        _ => Problem::new(Kind::TooLarge, text),
    }
}

/// `limit: invalid digit found in string` behind the words that begin every such text, as the place and the rest.
fn placed<'a>(text: &'a str, start: &str) -> (Option<&'a str>, &'a str) {
    let text = text.strip_prefix(start).unwrap_or(text);
    let is_place = |place: &&str| {
        !place.is_empty()
            && place
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'[' | b']'))
    };
    match text.split_once(": ") {
        Some((place, rest)) if is_place(&place) => (Some(place), rest),
        _ => (field(text), text),
    }
}

/// The field that `missing field` and `unknown field` name.
fn field(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("missing field `").or(text.strip_prefix("unknown field `"))?;
    rest.split('`').next()
}

fn join(whole: &str, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{whole}.{part}"),
        None => whole.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_taken_out_of_the_text() {
        let check = |text, place, rest| assert_eq!(placed(text, "Bad: "), (place, rest));
        check("Bad: limit: invalid digit", Some("limit"), "invalid digit");
        check("Bad: missing field `reason`", Some("reason"), "missing field `reason`");
        check(
            "Bad: a[0].b: unknown field `c`, expected `d`",
            Some("a[0].b"),
            "unknown field `c`, expected `d`",
        );
        check("Bad: what is this: nothing", None, "what is this: nothing");
    }
}
