//! `/plans`: what was planned, the newest first.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use model::artifact::BranchName;
use model::event::{Event, Request};
use serde::Deserialize;
use store::Page as Part;

use super::links::with_query;
use super::moments::{self, Now};
use super::page::{Page, Section, empty};
use super::tables::{headings, onward, views};
use super::trouble::Trouble;
use super::{Ui, charts, words};
use crate::admin::plans::{PlanFilter, PlanView};

/// How many plans a page lists.
const LISTED: u32 = 50;

/// Which plans.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    open: Option<String>,
    branch: Option<String>,
    before: Option<i64>,
}

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let branch: Option<BranchName> = asked.branch.as_deref().and_then(|name| name.parse().ok());
    let open = asked.open.is_some();
    let page = Part { before: asked.before, limit: LISTED };
    let filter = PlanFilter { branch: branch.clone(), open };
    let plans = ui.api.admin.plan_list(&filter, page).await?.0;
    let now = Now(ui.api.clock.now());
    let branch = branch.as_ref().map(BranchName::as_str);
    let open_word = open.then_some("yes");
    let more = (plans.len() == LISTED as usize).then(|| plans.last()).flatten();
    let more = more.map(|last| {
        let before = last.number.to_string();
        let pairs = [("open", open_word), ("branch", branch), ("before", Some(before.as_str()))];
        with_query("/plans", &pairs)
    });
    let body = html! {
        h1 { "Plans" }
        (views("Which plans", &[
            ("All", with_query("/plans", &[("branch", branch)]), !open),
            ("Under way", with_query("/plans", &[("open", Some("yes")), ("branch", branch)]), open),
        ]))
        @if plans.is_empty() { (nothing(open)) } @else { (table(&plans, now)) }
        (onward(more, "Older plans"))
    };
    Ok(Page::new(Section::Plans, "Plans", body))
}

fn nothing(open: bool) -> Markup {
    let next = html! {
        @if open { a href="/plans" { "All plans" } " shows those that are done." }
        @else { "A plan is made when a commit or a request comes in: " a href="/events" { "Events" } "." }
    };
    empty(if open { "No plan is under way." } else { "Nothing has been planned yet." }, &next)
}

/// Plans as they are listed.
pub(super) fn table(plans: &[PlanView], now: Now) -> Markup {
    html! {
        div.scroll {
            table.cards {
                (headings(&["Plan", "State", "Steps", "Made", "Predicted"]))
                tbody {
                    @for plan in plans {
                        @let counts = words::in_order(&plan.counts);
                        @let (title, more) = title_of(plan);
                        tr {
                            th scope="row" {
                                a href={ "/plans/" (plan.number) } { (title) }
                                span.quiet {
                                    "plan " (plan.number) " on " (plan.branch)
                                    @if let Some(more) = more { ", " (more) }
                                }
                            }
                            td { (words::state(&plan.state.to_string())) }
                            td.steps {
                                span { (plan.settled) " of " (plan.steps) " settled" }
                                (charts::shares(plan.steps, counts.iter().copied()))
                            }
                            td { (now.ago(plan.created)) }
                            td.number { (moments::seconds(plan.predicted_seconds)) }
                        }
                    }
                }
            }
        }
    }
}

/// What a plan is about, in a few words, and what more is to be said: `Refuse the 30th of February`, `commit 8e92636521 to
/// rpms/daycount#f44`.
pub(super) fn title_of(plan: &PlanView) -> (String, Option<String>) {
    match &plan.cause {
        Some(cause) => {
            let (title, more) = titled(&cause.event);
            let others = match plan.causes {
                0 | 1 => return (title, more),
                count => format!("and {}", counted(count as u64 - 1, "more event", "more events")),
            };
            (title, Some(more.map(|more| format!("{more}, {others}")).unwrap_or(others)))
        }
        None => (format!("Plan {}", plan.number), None),
    }
}

/// The same for an event.
pub(super) fn titled(event: &Event) -> (String, Option<String>) {
    match event {
        Event::Committed { artifact, commit, subject, .. } => {
            (subject.clone(), Some(format!("commit {} to {artifact}", commit.short())))
        }
        Event::Requested { artifact, request, by, reason, .. } => {
            let word = match request {
                Request::Rebuild => "Rebuild",
                Request::Retest => "Test",
            };
            (format!("{word} {}: {reason}", artifact.name), Some(format!("asked for by {by}")))
        }
        other => (other.to_string(), None),
    }
}

/// `1 plan`, `7 plans`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
