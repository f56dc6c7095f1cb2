//! Strong entity tags for every JSON answer: the digest of its bytes. A client that has it already gets 304.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::digest::Digest;

use super::problem::{Kind, Problem};

/// Tags what is read.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_read || response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It was made in memory a moment ago.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::new(Kind::Internal, "the answer could not be read").into_response();
    };
    let tag = etag(Digest::of(&bytes));
    let is_known = wanted.is_some_and(|wanted| names(&wanted, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    // Whoever keeps it has to ask whether it is still so.
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// A digest as an entity tag.
pub(super) fn etag(digest: Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether a list of tags, or `*`, names this one. `If-None-Match` compares weakly (RFC 9110, 13.1.2).
fn names(list: &HeaderValue, tag: &str) -> bool {
    let Ok(list) = list.to_str() else { return false };
    list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// What `If-Match` says the client has seen. None of its tags is ours if it is not the digest of an answer.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    // A weak tag never matches (RFC 9110, 13.1.1), nor does one that is none of ours.
    let digest = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let digest = digest.and_then(|text| text.parse().ok());
    digest.map(Some).ok_or_else(|| {
        Problem::new(
            Kind::PreconditionFailed,
            "If-Match is no entity tag of ours: look at the thing and send the ETag of that answer",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        let tag = etag(Digest::of("x"));
        let check = |list: &str| names(&HeaderValue::from_str(list).unwrap(), &tag);
        assert!(check(&tag) && check("*") && check(&format!("\"a\", W/{tag}")));
        assert!(!check("\"a\"") && !check(""));
    }

    #[test]
    fn what_was_seen_is_read_back() {
        let digest = Digest::of("x");
        let headers = |value: &str| {
            [(header::IF_MATCH, HeaderValue::from_str(value).unwrap())].into_iter().collect()
        };
        assert_eq!(if_match(&headers(&etag(digest))).unwrap(), Some(digest));
        assert_eq!(if_match(&headers("*")).unwrap(), None);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert!(if_match(&headers("\"abc\"")).is_err());
        assert!(if_match(&headers(&format!("W/{}", etag(digest)))).is_err());
    }
}
