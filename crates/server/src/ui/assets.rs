//! What pages need beside themselves: one style sheet, two scripts, the icons. All of it is in the program.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::digest::Digest;
use serde::Deserialize;

/// A file in the program.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

const ASSETS: [Asset; 6] = [
    Asset { name: "style.css", kind: STYLE, bytes: include_bytes!("assets/style.css") },
    Asset { name: "app.js", kind: SCRIPT, bytes: include_bytes!("assets/app.js") },
    // Of others, as it was published: <https://htmx.org>, version 4.0.1, licence in htmx-LICENSE beside it.
    Asset { name: "htmx.js", kind: SCRIPT, bytes: include_bytes!("assets/htmx-4.0.1.min.js") },
    Asset {
        name: "htmx-licence.txt",
        kind: "text/plain; charset=utf-8",
        bytes: include_bytes!("assets/htmx-LICENSE"),
    },
    Asset { name: "icons.svg", kind: PICTURE, bytes: include_bytes!("assets/icons.svg") },
    Asset { name: "mark.svg", kind: PICTURE, bytes: include_bytes!("assets/mark.svg") },
];

/// The first digits of each file's digest, which stand in its address: another file has another address.
static VERSIONS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    ASSETS.iter().map(|asset| (asset.name, Digest::of(asset.bytes).short())).collect()
});

/// The address of a file.
pub(super) fn url(name: &str) -> String {
    match VERSIONS.get(name) {
        Some(version) => format!("/assets/{name}?v={version}"),
        None => format!("/assets/{name}"),
    }
}

#[derive(Deserialize)]
pub(super) struct Version {
    v: Option<String>,
}

/// A file. One that is asked for with its version never changes.
pub(super) async fn show(
    Path(name): Path<String>,
    Query(asked): Query<Version>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let version = VERSIONS.get(asset.name).map(String::as_str).unwrap_or_default();
    let tag = format!("\"{version}\"");
    let lasting = match asked.v.as_deref() == Some(version) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let caching = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, lasting.to_owned())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.contains(&tag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_as_they_published_it() {
        let htmx = ASSETS.iter().find(|asset| asset.name == "htmx.js").unwrap();
        let published = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";
        assert_eq!(Digest::of(htmx.bytes).to_string(), published);
    }

    #[test]
    fn nothing_is_asked_of_other_machines() {
        for asset in ASSETS.iter().filter(|asset| asset.name != "htmx.js") {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            let foreign = text
                .match_indices("://")
                .filter(|(at, _)| !text[..*at].ends_with("xmlns=\"http"))
                .count();
            assert_eq!(foreign, 0, "{}", asset.name);
        }
    }
}
