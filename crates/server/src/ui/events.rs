//! `/events`: what happened outside, what became of it, and messages that could not be read.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use model::event::EventState;
use pipeline::rules::explain::{Applies, Explanation};
use serde::Deserialize;
use store::Page as Part;
use store::events::EventFilter;

use super::links::{self, with_query};
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::plans::titled;
use super::tables::{headings, onward, views};
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::events::{EventDetail, EventView, RejectedMessages};
use crate::admin::rules::Subject;

/// How many events a page lists.
const LISTED: u32 = 50;
const STATES: [EventState; 4] =
    [EventState::New, EventState::Planned, EventState::Done, EventState::Rejected];

/// Which events.
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
    let of_name = |name: &str| STATES.into_iter().find(|state| state.as_str() == name);
    let state = asked.state.as_deref().and_then(of_name);
    let page = Part { before: asked.before, limit: LISTED };
    let filter = EventFilter { state, ..EventFilter::default() };
    let events = ui.api.admin.events(&filter, page).await?.0;
    let rejected = ui.api.admin.rejected_messages(20).await?;
    let now = Now(ui.api.clock.now());
    let name = state.map(EventState::as_str);
    let full = events.len() == LISTED as usize;
    let more = events.last().filter(|_| full).map(|last| {
        let before = last.number.to_string();
        with_query("/events", &[("state", name), ("before", Some(before.as_str()))])
    });
    let all = [("All", "/events".to_owned(), state.is_none())];
    let by_state = STATES.map(|other| {
        let url = with_query("/events", &[("state", Some(other.as_str()))]);
        (other.as_str(), url, state == Some(other))
    });
    let which: Vec<_> = all.into_iter().chain(by_state).collect();
    let body = html! {
        h1 { "Events" }
        (views("Which events", &which))
        @if events.is_empty() {
            (empty("No such event has come in.", &html! {
                "A push to a dist-git repository is one; " code { "millstream event send" } " sends any other."
            }))
        } @else {
            (table(&events, now))
        }
        (onward(more, "Older events"))
        @if asked.before.is_none() { (unreadable(&rejected, now)) }
    };
    Ok(Page::new(Section::Events, "Events", body))
}

fn table(events: &[EventView], now: Now) -> Markup {
    html! {
        div.scroll {
            table.cards {
                (headings(&["Event", "State", "Artifact", "When"]))
                tbody {
                    @for event in events {
                        tr {
                            @let (title, more) = titled(&event.event);
                            th scope="row" {
                                a href={ "/events/" (event.number) } { (title) }
                                @if let Some(more) = more { span.quiet { (more) } }
                            }
                            td { (words::state(event.state.as_str())) }
                            td { (links::artifact(&event.artifact)) }
                            td { (now.ago(event.time)) }
                        }
                    }
                }
            }
        }
    }
}

fn unreadable(rejected: &RejectedMessages, now: Now) -> Markup {
    html! {
        @if !rejected.0.is_empty() {
            section aria-labelledby="unreadable" {
                h2 #unreadable { "Messages nobody could read" }
                div.scroll {
                    table.cards {
                        (headings(&["Message", "Topic", "What is wrong", "When"]))
                        tbody {
                            @for message in &rejected.0 {
                                tr {
                                    th.evr scope="row" { (message.id) }
                                    td.evr { (message.topic) }
                                    td { (message.place) ": " (message.reason) }
                                    td { (now.ago(message.time)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One event with everything that followed.
pub(super) async fn one(
    State(ui): State<Arc<Ui>>,
    Path(number): Path<i64>,
) -> Result<Page, Trouble> {
    let detail = ui.api.admin.event(number).await?;
    let now = Now(ui.api.clock.now());
    let EventDetail { event, plans, decisions } = &detail;
    let (title, more) = titled(&event.event);
    let explained = ui.api.admin.explain_rules(&Subject::Event(number)).await?;
    let body = html! {
        p.crumbs { a href="/events" { "Events" } " / event " (number) }
        h1 { (title) }
        @if let Some(more) = more { p.under { (more) } }
        p.facts {
            (words::state(event.state.as_str()))
            span { (now.ago(event.time)) }
            span { (links::artifact(&event.artifact)) }
        }
        section aria-labelledby="plans" {
            h2 #plans { "Plans that answer it" }
            @if plans.is_empty() {
                p.quiet {
                    @match event.state {
                        EventState::New => "Nobody has looked at it yet.",
                        _ => "None: what was decided below says why.",
                    }
                }
            } @else {
                ul.lines { @for plan in plans { li { (links::plan(*plan)) } } }
            }
        }
        (rules(&explained))
        section aria-labelledby="decided" {
            h2 #decided { "What was decided on its account" }
            @if decisions.is_empty() { p.quiet { "Nothing yet." } }
            ol.lines {
                @for line in decisions {
                    li {
                        span { @if let Some(artifact) = &line.artifact { (links::artifact(artifact)) ": " } (line.sentence) }
                        span.quiet { (now.ago(line.time)) }
                    }
                }
            }
        }
    };
    Ok(Page::new(Section::Events, format!("Event {number}: {}", event.sentence), body))
}

/// Which rules apply, and why the others do not.
fn rules(explained: &Explanation) -> Markup {
    html! {
        section aria-labelledby="rules" {
            h2 #rules { "Rules" }
            @if let Some(answer) = &explained.answer { p.said { "As they are now: " (answer) "." } }
            details {
                summary { "What each of the " (explained.rules.len()) " rules says" }
                ul.lines {
                    @for verdict in &explained.rules {
                        li {
                            span { (words::state(applies(verdict.applies))) " " a href={ "/rules/" (verdict.rule) } { (verdict.rule) } }
                            span.quiet { (verdict.sentence) }
                        }
                    }
                }
            }
        }
    }
}

fn applies(applies: Applies) -> &'static str {
    match applies {
        Applies::Yes => "yes",
        Applies::Depends => "depends",
        Applies::No => "no",
    }
}
