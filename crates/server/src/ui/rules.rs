//! `/rules`: what is done about what, by which rule, and what each of them matched lately.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::moments::{self, Now};
use super::page::{Page, Section};
use super::plans::{counted, titled};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, links, words};
use crate::admin::rule_board::{MatchedEvent, RuleBoard};
use crate::admin::rules::RuleView;

/// The list.
pub(super) async fn show(State(ui): State<Arc<Ui>>) -> Result<Page, Trouble> {
    let board = ui.api.admin.rule_board().await?;
    let counts = board.counts();
    let body = html! {
        h1 { "Rules" }
        p.lead {
            "A rule is a file. Those that are shipped say what happens without any of your own; "
            code { "millstream rules" } " lints, tests and explains them."
        }
        div.scroll {
            table.cards {
                (headings(&["Rule", "Does", "On", "Acts", "Matched"]))
                tbody {
                    @for rule in &board.rules {
                        @let count = counts.get(&rule.id).copied().unwrap_or(0);
                        tr {
                            th scope="row" {
                                a href={ "/rules/" (rule.id) } { (rule.id) }
                                span.quiet { (rule.description) }
                            }
                            td.why { (rule.does) }
                            td data-label="On" { (asked_on(rule)) }
                            td { (words::state(rule.mode)) }
                            td.number data-label="Matched" {
                                (count) span.quiet { " of " (board.events.len()) }
                            }
                        }
                    }
                }
            }
        }
        p.quiet { "Matched: of the newest events, held against the rules as they are now." }
    };
    Ok(Page::new(Section::Rules, "Rules", body))
}

fn asked_on(rule: &RuleView) -> String {
    let every = rule.every_seconds.map(|seconds| moments::seconds(seconds as f64));
    let every = every.map(|every| format!(" every {every}")).unwrap_or_default();
    rule.on.join(", ") + &every
}

/// One rule.
pub(super) async fn one(
    State(ui): State<Arc<Ui>>,
    Path(id): Path<String>,
) -> Result<Page, Trouble> {
    let board = ui.api.admin.rule_board().await?;
    let rule = board.rules.iter().find(|rule| rule.id.as_str() == id);
    let rule = rule.ok_or_else(|| Trouble::not_found(format!("No rule is called {id}.")))?;
    let now = Now(ui.api.clock.now());
    let body = html! {
        p.crumbs { a href="/rules" { "Rules" } }
        h1 { (rule.id) }
        p.lead { (rule.description) }
        p.facts {
            (words::state(rule.mode))
            span { "asked on " (asked_on(rule)) }
            span { @if rule.origin == "shipped" { "shipped" } @else { code { (rule.origin) } } }
        }
        dl.figures {
            div { dt { "Does" } dd { (rule.does) } }
            @if let Some(when) = &rule.when { div { dt { "When" } dd { code { (when) } } } }
        }
        (matched(&board, rule, now))
    };
    Ok(Page::new(Section::Rules, format!("Rule {}", rule.id), body))
}

fn matched(board: &RuleBoard, rule: &RuleView, now: Now) -> Markup {
    let own: Vec<&MatchedEvent> =
        board.events.iter().filter(|event| event.matched.contains(&rule.id)).collect();
    let all = counted(board.events.len() as u64, "newest event", "newest events");
    html! {
        section aria-labelledby="matched" {
            h2 #matched { "Matched" span.quiet { " " (own.len()) " of the " (all) } }
            @if own.is_empty() {
                p.quiet { "None of them, as the rule is now." }
            } @else {
                div.scroll {
                    table.cards {
                        (headings(&["Event", "Artifact", "So", "When"]))
                        tbody { @for event in own { (row(event, now)) } }
                    }
                }
            }
        }
    }
}

fn row(event: &MatchedEvent, now: Now) -> Markup {
    let (title, more) = titled(&event.event.event);
    html! {
        tr {
            th scope="row" {
                a href={ "/events/" (event.event.number) } { (title) }
                @if let Some(more) = more { span.quiet { (more) } }
            }
            td { (links::artifact(&event.event.artifact)) }
            td.why { (event.answer) }
            td { (now.ago(event.event.time)) }
        }
    }
}
