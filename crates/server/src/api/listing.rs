//! Listings, a page at a time: `limit`, a cursor, and the address of the next page in the body and as a `Link`.

use axum::Json;
use axum::http::{HeaderMap, Uri, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::admin::Page;

/// How many entries a page has, from 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit(pub(crate) u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;

    fn try_from(limit: u32) -> Result<Self, Self::Error> {
        if (1..=200).contains(&limit) { Ok(Self(limit)) } else { Err("expected 1 to 200") }
    }
}

/// What the next page begins after. Clients take it from the answer as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cursor(String);

impl Cursor {
    /// The number of the last entry of the page before.
    pub(crate) fn number(&self) -> Result<i64, Problem> {
        let number = self.0.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| self.invalid("before"))
    }

    /// The plan and the position of the last entry of the page before.
    pub(crate) fn step(&self) -> Result<(i64, i64), Problem> {
        let read = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        let parts = self.0.split_once('.');
        let found = parts.and_then(|(plan, position)| read(plan).zip(read(position)));
        found.ok_or_else(|| self.invalid("before"))
    }

    /// The last entry of the page before, as a text with a grammar.
    pub(crate) fn parse<T: std::str::FromStr>(&self) -> Result<T, Problem> {
        self.0.parse().map_err(|_| self.invalid("after"))
    }

    fn invalid(&self, parameter: &str) -> Problem {
        let detail = format!("{:?} is no cursor: take it from `next` of the page before", self.0);
        Problem::invalid(format!("query.{parameter}"), detail)
    }
}

/// One entry more than the page holds, to know whether there is another page.
pub(crate) fn page(limit: Option<Limit>, before: Option<&Cursor>) -> Result<Page, Problem> {
    let Limit(limit) = limit.unwrap_or_default();
    let before = before.map(Cursor::number).transpose()?;
    Ok(Page { before, limit: limit + 1 })
}

/// As [`page`], for listings whose cursor is no number.
pub(crate) fn one_more(limit: Option<Limit>) -> u32 {
    limit.unwrap_or_default().0 + 1
}

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The entries.
    items: Vec<T>,
    /// The address of the next page; null on the last one.
    next: Option<String>,
}

/// The answer to a listing.
pub(crate) type Listed<T> = (HeaderMap, Json<Listing<T>>);

/// A page of what was found, which is one entry more than the page holds if there is another page; `cursor` is the
/// parameter and the value by which the next page goes on after an entry.
pub(crate) fn listed<T>(
    uri: &Uri,
    found: Vec<T>,
    limit: Option<Limit>,
    cursor: impl Fn(&T) -> (&'static str, String),
) -> Listed<T> {
    let Limit(limit) = limit.unwrap_or_default();
    let mut items = found;
    let has_more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| has_more).map(|last| {
        let (parameter, value) = cursor(last);
        follow(uri, parameter, &value)
    });
    let mut headers = HeaderMap::new();
    if let Some(link) =
        next.as_ref().and_then(|next| format!("<{next}>; rel=\"next\"").parse().ok())
    {
        headers.insert(header::LINK, link);
    }
    (headers, Json(Listing { items, next }))
}

/// The same address with another cursor.
fn follow(uri: &Uri, parameter: &str, value: &str) -> String {
    let query = uri.query().unwrap_or_default();
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(parameter);
    let mut pairs: Vec<String> = query.split('&').filter(is_other).map(str::to_owned).collect();
    pairs.push(format!("{parameter}={}", encoded(value)));
    format!("{}?{}", uri.path(), pairs.join("&"))
}

/// Percent-encoded, but for what no address gives a meaning.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_address_but_for_the_cursor() {
        let check = |uri: &str, value: &str, expected: &str| {
            assert_eq!(follow(&uri.parse().unwrap(), "before", value), expected);
        };
        check("/x", "7", "/x?before=7");
        check("/x?limit=2&before=9&open=true", "7", "/x?limit=2&open=true&before=7");
        check("/x?before=9", "rpms/a#f44", "/x?before=rpms%2Fa%23f44");
    }

    #[test]
    fn the_last_page_has_no_next() {
        let uri: Uri = "/x".parse().unwrap();
        let page = |found: Vec<i64>| {
            let (headers, Json(listing)) =
                listed(&uri, found, Limit::try_from(2).ok(), |last| ("before", last.to_string()));
            (listing.items, listing.next, headers.contains_key(header::LINK))
        };
        assert_eq!(page(vec![3, 2, 1]), (vec![3, 2], Some("/x?before=2".to_owned()), true));
        assert_eq!(page(vec![3, 2]), (vec![3, 2], None, false));
        assert_eq!(page(vec![]), (vec![], None, false));
    }

    #[test]
    fn limits_and_cursors_have_bounds() {
        assert!([0, 201].into_iter().all(|limit| Limit::try_from(limit).is_err()));
        let cursor = |text: &str| Cursor(text.to_owned());
        assert_eq!(cursor("7").number().unwrap(), 7);
        assert_eq!(cursor("7.0").step().unwrap(), (7, 0));
        for bad in ["", "-1", "0", "x", "7.1", "99999999999999999999"] {
            assert!(cursor(bad).number().is_err(), "{bad}");
        }
        for bad in ["", "7", ".", "7.-1", "7.x"] {
            assert!(cursor(bad).step().is_err(), "{bad}");
        }
    }
}
