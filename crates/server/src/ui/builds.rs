//! `/builds`: every build, the newest first.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use store::Page as Part;

use super::links::{self, with_query};
use super::moments::{self, Now};
use super::page::{Page, Section, empty};
use super::tables::{headings, onward, views};
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::builds::BuildView;

/// How many builds a page lists.
const LISTED: u32 = 50;
/// The states by which they can be listed.
const STATES: [&str; 5] = ["queued", "running", "succeeded", "failed", "cancelled"];

/// Which builds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    state: Option<String>,
    before: Option<i64>,
}

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let state = asked.state.as_deref().filter(|state| STATES.contains(state));
    let page = Part { before: asked.before, limit: LISTED };
    let found = ui.api.admin.builds(None, state, page).await?.0;
    let now = Now(ui.api.clock.now());
    let full = found.len() == LISTED as usize;
    let more = found.last().filter(|_| full).map(|last| {
        let before = last.number.to_string();
        with_query("/builds", &[("state", state), ("before", Some(before.as_str()))])
    });
    let all = [("All", "/builds".to_owned(), state.is_none())];
    let by_state = STATES
        .map(|name| (name, with_query("/builds", &[("state", Some(name))]), state == Some(name)));
    let which: Vec<_> = all.into_iter().chain(by_state).collect();
    let body = html! {
        h1 { "Builds" }
        (views("Which builds", &which))
        @if found.is_empty() {
            (empty("There is no such build.", &html! {
                "A build is made when a plan comes to it: " a href="/plans" { "Plans" } "."
            }))
        } @else {
            (table(&found, now))
        }
        (onward(more, "Older builds"))
    };
    Ok(Page::new(Section::Builds, "Builds", body))
}

/// Builds as they are listed.
pub(super) fn table(builds: &[BuildView], now: Now) -> Markup {
    html! {
        div.scroll {
            table.cards {
                (headings(&["Build", "State", "Commit", "Asked for", "Took"]))
                tbody {
                    @for build in builds {
                        tr {
                            th scope="row" { (links::build(build.number, &build.nvr)) }
                            td {
                                (words::state(build.state))
                                @if let Some(failure) = &build.failure {
                                    span.problem-line { (failure) }
                                }
                            }
                            td data-label="Commit" { code { (build.commit.short()) } }
                            td data-label="Asked for" { (now.ago(build.created)) }
                            td.number data-label="Took" {
                                @match build.took_seconds {
                                    Some(took) => (moments::seconds(took)),
                                    None => "–",
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
