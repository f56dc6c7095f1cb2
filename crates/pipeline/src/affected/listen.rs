//! The table "edge kind → facets": which changes at one end of an edge mean a rebuild at the other.
//!
//! | edge | rebuild when this changes | and when this goes or changes, but not when it is only added |
//! |---|---|---|
//! | `build-requires` | headers, static, macros, tools, data, scripts | abi, provides |
//! | `buildroot` | headers, static, macros | abi |
//! | `requires` | – | – |
//! | `contains` | content, scripts, relations | – |
//! | `layered-on` | content | – |
//! | `ships` | – | – |
//!
//! Along every edge kind, a requirement that the old build satisfied and the new one does not forces a rebuild besides
//! ([`lost_requirement`](super::compare::lost_requirement)); it is no facet's business. Along `requires`, what is not
//! rebuilt is retested when one of [`RUN_TIME`] changes. Along `ships` every new build forces one, whatever it changes:
//! a compose names its packages by version and release.
//!
//! Why the table is as it is:
//! - A build reads headers, archives and macros of everything that is installed, asked for or not. It runs the tools and
//!   reads the data of what it asks for; a tool that was pulled in by another is that one's affair.
//! - A symbol or a capability that is only added changes no build that did without it.
//! - `relations` decide what is installed, and so show as another buildroot; `files` and `content` are the sums of the
//!   others, and a library's content is what the linker does not copy.
//! - An image copies what it contains: it hears what a user of the package would notice at run time. What is only built
//!   anew, with the same files, scriptlets and relations, makes no other image.
//!
//! An artifact may ask for more or less with `[[listen]]` in its `millstream.toml`.

use model::edge::EdgeKind;
use model::facet::Facet;
use model::plan::Listening;
use model::source::{Listen, Settings};

const BUILD_REQUIRES: &[Listening] = &[
    but_additions(Facet::Abi),
    but_additions(Facet::Provides),
    any_change(Facet::Scripts),
    any_change(Facet::Headers),
    any_change(Facet::Static),
    any_change(Facet::Macros),
    any_change(Facet::Tools),
    any_change(Facet::Data),
];

const BUILDROOT: &[Listening] = &[
    but_additions(Facet::Abi),
    any_change(Facet::Headers),
    any_change(Facet::Static),
    any_change(Facet::Macros),
];

const CONTAINS: &[Listening] =
    &[any_change(Facet::Content), any_change(Facet::Scripts), any_change(Facet::Relations)];

const LAYERED_ON: &[Listening] = &[any_change(Facet::Content)];

/// What a user of a package notices at run time: it is retested when one of these changes.
pub const RUN_TIME: [Facet; 3] = [Facet::Content, Facet::Scripts, Facet::Relations];

const fn any_change(facet: Facet) -> Listening {
    Listening { facet, additions: true }
}

const fn but_additions(facet: Facet) -> Listening {
    Listening { facet, additions: false }
}

/// What edges of a kind listen to, by facet.
pub fn table(kind: EdgeKind) -> &'static [Listening] {
    match kind {
        EdgeKind::BuildRequires => BUILD_REQUIRES,
        EdgeKind::Buildroot => BUILDROOT,
        EdgeKind::Contains => CONTAINS,
        EdgeKind::LayeredOn => LAYERED_ON,
        EdgeKind::Requires | EdgeKind::Ships => &[],
    }
}

/// What one edge listens to, by facet: the table, with what the dependent's settings ask for.
///
/// The entries of `[[listen]]` that fit are followed one after the other. `more` listens to additions as well, also
/// where the table does not; `less` ends the listening, and wins over `more` in the same entry.
pub fn listening(kind: EdgeKind, package: &str, settings: &Settings) -> Vec<Listening> {
    let mut listening = table(kind).to_vec();
    for entry in settings.listen.iter().filter(|entry| is_for(entry, kind, package)) {
        let named = [&entry.more, &entry.less];
        listening.retain(|heard| named.iter().all(|facets| !facets.contains(&heard.facet)));
        let more = entry.more.iter().filter(|facet| !entry.less.contains(facet));
        listening.extend(more.map(|facet| any_change(*facet)));
    }
    listening.sort_unstable_by_key(|heard| heard.facet);
    listening.dedup();
    listening
}

fn is_for(entry: &Listen, kind: EdgeKind, package: &str) -> bool {
    let kind_fits = match entry.edge {
        Some(wanted) => wanted == kind,
        None => !matches!(kind, EdgeKind::Requires | EdgeKind::Ships),
    };
    kind_fits && entry.package.as_ref().is_none_or(|wanted| wanted == package)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facets joined by blanks, a `-` after those whose additions do not count.
    fn check(kind: EdgeKind, package: &str, settings: &str, expected: &str) {
        let settings: Settings = toml::from_str(settings).unwrap();
        let shown = listening(kind, package, &settings);
        let shown = shown
            .iter()
            .map(|heard| format!("{}{}", heard.facet, if heard.additions { "" } else { "-" }));
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn the_table_is_as_documented() {
        let build = "abi- provides- scripts headers static macros tools data";
        check(EdgeKind::BuildRequires, "zlib-devel", "", build);
        check(EdgeKind::Buildroot, "zlib-devel", "", "abi- headers static macros");
        check(EdgeKind::Requires, "zlib", "", "");
        check(EdgeKind::Contains, "zlib", "", "relations scripts content");
        check(EdgeKind::LayeredOn, "base", "", "content");
        check(EdgeKind::Ships, "zlib", "", "");
    }

    #[test]
    fn an_artifact_may_listen_to_more_or_less() {
        let settings = "[[listen]]\npackage = 'gen'\nmore = ['abi', 'content']\nless = ['headers']";
        check(EdgeKind::Buildroot, "gen", settings, "abi static macros content");
        check(EdgeKind::Buildroot, "zlib", settings, "abi- headers static macros");
        check(EdgeKind::Requires, "gen", settings, "");
    }

    #[test]
    fn requires_edges_listen_only_when_named() {
        let settings = "[[listen]]\nedge = 'requires'\nmore = ['data']";
        check(EdgeKind::Requires, "words", settings, "data");
        check(EdgeKind::Buildroot, "words", settings, "abi- headers static macros");
    }

    #[test]
    fn entries_are_followed_in_order_and_less_wins() {
        let off_and_on = "[[listen]]\nless = ['macros', 'abi']\n[[listen]]\nmore = ['macros']";
        check(EdgeKind::Buildroot, "x", off_and_on, "headers static macros");
        let both = "[[listen]]\nmore = ['static', 'static']\nless = ['static']";
        check(EdgeKind::Buildroot, "x", both, "abi- headers macros");
    }
}
