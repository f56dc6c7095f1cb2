//! The frame of every page: what it is called, where else one can go, the search.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::words::icon;

/// The parts of the site, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Plans,
    Artifacts,
    Builds,
    Images,
    Composes,
    Gates,
    Events,
    Rules,
    /// Pages that belong to none.
    Elsewhere,
}

const SECTIONS: [(Section, &str, &str); 9] = [
    (Section::Overview, "/", "Overview"),
    (Section::Plans, "/plans", "Plans"),
    (Section::Artifacts, "/artifacts", "Artifacts"),
    (Section::Builds, "/builds", "Builds"),
    (Section::Images, "/images", "Images"),
    (Section::Composes, "/composes", "Composes"),
    (Section::Gates, "/gates", "Gates"),
    (Section::Events, "/events", "Events"),
    (Section::Rules, "/rules", "Rules"),
];

/// A page, ready to be sent.
pub(super) struct Page {
    /// What it is called, in the browser's list of windows.
    pub(super) title: String,
    /// Where it belongs.
    pub(super) section: Section,
    /// What the search field holds.
    pub(super) sought: String,
    /// What it says.
    pub(super) body: Markup,
    /// Other than 200 when something went wrong.
    pub(super) status: StatusCode,
}

impl Page {
    /// A page that shows what was asked for.
    pub(super) fn new(section: Section, title: impl Into<String>, body: Markup) -> Self {
        let (title, sought, status) = (title.into(), String::new(), StatusCode::OK);
        Self { title, section, sought, body, status }
    }

    fn markup(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(&self.title))
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header())
                    main #main tabindex="-1" { (self.body) }
                    (footer())
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header.top {
                a.brand href="/" aria-label="Millstream, overview" {
                    img src=(assets::url("mark.svg")) alt="" width="24" height="24";
                    span { "Millstream" }
                }
                nav aria-label="Main" {
                    ul {
                        @for (section, path, name) in SECTIONS {
                            li {
                                a href=(path) aria-current=[(section == self.section).then_some("page")] {
                                    (name)
                                }
                            }
                        }
                    }
                }
                form.search action="/search" method="get" role="search" {
                    label.unseen for="q" { "Search for an artifact, a build or a number" }
                    input #q type="search" name="q" value=(self.sought) placeholder="Search"
                        autocomplete="off" spellcheck="false" aria-keyshortcuts="/";
                    button type="submit" aria-label="Search" { (icon("search")) }
                }
                button.theme type="button" data-theme-toggle hidden aria-label="Light or dark" {
                    (icon("theme"))
                }
            }
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, [(header::CACHE_CONTROL, "no-cache")], self.markup()).into_response()
    }
}

/// What a page asks of htmx: nothing is evaluated, styled or remembered by it.
const HTMX: &str = r#"{"includeIndicatorCSS":false,"history":false,"defaultTimeout":10000}"#;

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="htmx-config" content=(HTMX);
            title { (title) " · Millstream" }
            link rel="icon" type="image/svg+xml" href=(assets::url("mark.svg"));
            link rel="stylesheet" href=(assets::url("style.css"));
            // Before anything is painted: it may set the theme.
            script src=(assets::url("app.js")) {}
            script src=(assets::url("htmx.js")) defer {}
        }
    }
}

fn footer() -> Markup {
    html! {
        footer.bottom {
            p {
                "Millstream " (env!("CARGO_PKG_VERSION")) " · the same answers: "
                code { "millstream status" } ", " a href="/metrics" { "metrics" } ", "
                a href="/api/v1/openapi.json" { "API" }
            }
        }
    }
}

/// Something that changes while one looks at it: fetched again every two seconds from `source` while it moves.
pub(super) fn live(id: &str, source: &str, is_moving: bool, content: &Markup) -> Markup {
    html! {
        div id=(id) hx-get=[is_moving.then_some(source)] hx-trigger=[is_moving.then_some("every 2s")]
            hx-swap=[is_moving.then_some("outerMorph")] {
            (content)
        }
    }
}

/// What stands where nothing is: what that means, and what to do next.
pub(super) fn empty(title: &str, next: &Markup) -> Markup {
    html! {
        div.empty { p.empty-title { (title) } p { (next) } }
    }
}
