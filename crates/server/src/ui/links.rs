//! The addresses of things, and links to them.

use std::fmt::Write as _;

use maud::{Markup, html};
use model::artifact::ArtifactKey;

/// Where an artifact's page is.
pub(super) fn artifact_url(key: &ArtifactKey) -> String {
    // Names and branches hold nothing that would have to be encoded in a path.
    format!("/artifacts/{}/{}/{}", key.kind, key.name, key.branch)
}

/// A link to an artifact, under its identity.
pub(super) fn artifact(key: &ArtifactKey) -> Markup {
    html! {
        a.artifact href=(artifact_url(key)) {
            span.kind { (key.kind) "/" } (key.name) span.branch { "#" (key.branch) }
        }
    }
}

/// A link to a plan.
pub(super) fn plan(number: i64) -> Markup {
    html! { a href={ "/plans/" (number) } { "plan " (number) } }
}

/// A link to an event.
pub(super) fn event(number: i64) -> Markup {
    html! { a href={ "/events/" (number) } { "event " (number) } }
}

/// A link to a build, under its NVR.
pub(super) fn build(number: i64, nvr: &str) -> Markup {
    html! { a.evr href={ "/builds/" (number) } { (nvr) } }
}

/// An address with a query; pairs without a value are left out.
pub(super) fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut url = path.to_owned();
    let mut mark = '?';
    for (name, value) in pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        url.push(mark);
        url.push_str(name);
        url.push('=');
        encode(&mut url, value);
        mark = '&';
    }
    url
}

/// Appends a value as queries and cookies can hold it.
pub(super) fn encode(to: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                to.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(to, "%{byte:02X}")),
        }
    }
}

/// The text behind an encoded value; what is not encoded well is left as it is.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let code = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_hold_any_text() {
        let url = with_query("/x", &[("q", Some("rpms/a+b#f44 & ü")), ("none", None)]);
        assert_eq!(url, "/x?q=rpms/a%2Bb%23f44%20%26%20%C3%BC");
        assert_eq!(decode("a%2Bb%23 %C3%BC%zz%4"), "a+b# ü%zz%4");
    }
}
