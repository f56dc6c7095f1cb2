//! `/plans/{number}`: a plan as a graph and as a table, while it runs; with reasons, and what it left alone.

mod acts;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use model::plan::StepIndex;
use model::rule::PlanMode;
use pipeline::plan::report::StepReport;

pub(super) use acts::{ask, send};
pub(super) use steps::Asked;

use super::graph::{Cell, Shown, picture};
use super::moments::{self, Now};
use super::overview::front;
use super::page::{Page, Section, live};
use super::plans::{counted, title_of};
use super::trouble::Trouble;
use super::{Ui, charts, ledger, links, words};
use crate::admin::board::PlanBoard;
use crate::admin::events::EventView;
use crate::admin::time::Moment;

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Path(number): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let board = ui.api.admin.plan_board(number).await?;
    let title = format!("Plan {number}: {}", title_of(&board.head).0);
    let lines = ui.api.admin.plan_ledger(&board, 200).await?;
    let now = Now(ui.api.clock.now());
    let body = html! {
        (content(&ui, &board, &asked).await?)
        (left_alone(&board))
        (ledger::section(&lines, now))
    };
    Ok(Page::new(Section::Plans, title, body))
}

/// What of it changes.
pub(super) async fn part(
    State(ui): State<Arc<Ui>>,
    Path(number): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Trouble> {
    let board = ui.api.admin.plan_board(number).await?;
    content(&ui, &board, &asked).await
}

async fn content(ui: &Ui, board: &PlanBoard, asked: &Asked) -> Result<Markup, Trouble> {
    let now = Now(ui.api.clock.now());
    let sketch = ui.sketches.of(&board.plan);
    let rows = asked.rows(board);
    let (from, to) = asked.window(rows.len());
    let drawn = sketch.folded.cells.iter().filter_map(|cell| match cell {
        Cell::Step(step) => Some(*step),
        _ => None,
    });
    let mut wanted: Vec<StepIndex> = rows[from..to].iter().copied().chain(drawn).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let reports: BTreeMap<StepIndex, StepReport> =
        ui.api.admin.step_reports(board, &wanted).await?.into_iter().collect();
    let states: Vec<&'static str> = board.stands.iter().map(|stand| stand.state).collect();
    let stops = stops_behind(board);
    let shown = Shown {
        number: board.plan.number,
        plan: &board.plan.plan,
        states: &states,
        reports: &reports,
        stops: &stops,
    };
    let body = html! {
        (heading(board, now))
        section aria-labelledby="graph" {
            h2 #graph { "The way of the change" }
            a.skip href="#steps" { "Skip the graph: the table says the same" }
            div.graph tabindex="0" role="region" aria-labelledby="graph" data-graph {
                (picture(&sketch, &shown))
            }
            (legend(sketch.folded.is_folded))
        }
        (asked.section(board, (&rows, from, to), &reports, now))
    };
    let source = links::with_query(&format!("/plans/{}/live", board.plan.number), &asked.pairs());
    Ok(live("live", &source, board.is_open(), &body))
}

/// At how many edges the change stopped when the plan was made, by the step it stopped behind.
fn stops_behind(board: &PlanBoard) -> BTreeMap<StepIndex, usize> {
    let plan = &board.plan.plan;
    let mut by_artifact = BTreeMap::new();
    for stop in &plan.stops {
        *by_artifact.entry(&stop.edge.dependency).or_insert(0) += 1;
    }
    let with_stops =
        plan.steps.iter().enumerate().filter_map(|(index, step)| {
            by_artifact.get(&step.artifact).map(|count| (index, *count))
        });
    with_stops.collect()
}

fn heading(board: &PlanBoard, now: Now) -> Markup {
    let head = &board.head;
    let counts = words::in_order(&head.counts);
    let (title, more) = title_of(head);
    html! {
        p.crumbs { a href="/plans" { "Plans" } " / plan " (head.number) " on " (head.branch) }
        h1 { (title) }
        @if let Some(more) = more { p.under { (more) } }
        p.facts {
            (words::state(&head.state.to_string()))
            span { "made " (now.ago(head.created)) }
            @if head.severity != model::event::Severity::None {
                span { "severity " (head.severity) }
            }
            (end(board, now))
            @if let Some(parent) = board.parent { span { "goes on with " (links::plan(parent)) } }
            (causes(&board.causes))
        }
        (proposal(board))
        (charts::shares(head.steps, counts.iter().copied()))
        p.counts {
            @for (state, count) in &counts {
                a href={ "/plans/" (head.number) "?state=" (state) "#steps" } {
                    (words::icon(words::look(state).0)) (count) " " (state)
                } " "
            }
        }
        @if !board.front.is_empty() {
            h2.small { "Waited for" }
            (front(&board.front))
        }
        (acts::offered(board, now))
    }
}

/// Why a person is asked first, or who allowed it, or why nothing of it is done.
fn proposal(board: &PlanBoard) -> Markup {
    let plan = &board.plan.plan;
    html! {
        @match &plan.mode {
            PlanMode::Proposed { rule, limit } if board.is_open() => p.said.strong {
                "Rule " a href={ "/rules/" (rule) } { (rule) } " asks a person before it touches more than "
                (limit) " artifacts: this plan has " (plan.steps.len()) " steps."
            },
            PlanMode::DryRun { .. } => p.said { "It only shows what a rule would do: nothing of it is done." },
            PlanMode::Shadow => p.said { "The server is in shadow mode: nothing of it is done." },
            _ => {},
        }
        @if let Some(approval) = &plan.approval {
            p.said { "Allowed by " (approval.author) ": " (approval.reason) }
        }
    }
}

/// The events it answers: a few by name, the rest folded away.
fn causes(causes: &[EventView]) -> Markup {
    let (first, rest) = causes.split_at(causes.len().min(3));
    html! {
        span {
            "because of "
            @for (index, cause) in first.iter().enumerate() {
                @if index > 0 { ", " }
                (links::event(cause.number))
            }
        }
        @if !rest.is_empty() {
            details {
                summary { "and " (rest.len()) " more events" }
                ul.lines {
                    @for cause in rest { li { a href={ "/events/" (cause.number) } { (cause.sentence) } } }
                }
            }
        }
    }
}

/// When it started, when it will end or when it ended.
fn end(board: &PlanBoard, now: Now) -> Markup {
    let head = &board.head;
    html! {
        @if head.start.0 > now.0 {
            span { "starts " (now.ago(head.start)) ", unless more of the same comes in" }
        }
        @match &board.outlook {
            Some(outlook) => {
                @if outlook.at_most_seconds >= 1.0 {
                    span.outlook {
                        "ends in " (moments::span(outlook.at_least_seconds, outlook.at_most_seconds))
                    }
                }
                @if outlook.behind_a_person > 0 {
                    span.outlook {
                        (counted(outlook.behind_a_person as u64, "step waits", "steps wait"))
                        " for a person"
                    }
                }
            },
            None => {
                @if let Some(last) = board.last_change() {
                    span {
                        "took " (moments::duration(last.since(head.start.0))) ", done "
                        (now.ago(Moment(last)))
                    }
                }
            },
        }
        span { "predicted " (moments::seconds(head.predicted_seconds)) }
    }
}

fn legend(is_folded: bool) -> Markup {
    html! {
        ul.legend {
            li { svg width="12" height="10" aria-hidden="true" { circle.root cx="5" cy="5" r="4" {} } "the change began here" }
            li { svg width="28" height="8" aria-hidden="true" { path.link.carried d="M0 4H28" {} } "carried the change on" }
            li { svg width="28" height="8" aria-hidden="true" { path.link.stopped d="M0 4H28" {} } "the change stopped here" }
            li { svg width="28" height="8" aria-hidden="true" { path.link.to-come d="M0 4H28" {} } "not known yet" }
            li { span.mark { "3 ⊣" } "so many edges beyond were left alone at once" }
            @if is_folded {
                li.quiet { "So large a plan is folded: one node for each tier and each cycle." }
            }
        }
    }
}

fn left_alone(board: &PlanBoard) -> Markup {
    let stops = &board.plan.plan.stops;
    html! {
        section aria-labelledby="left" {
            h2 #left { "Left alone from the start" }
            @if stops.is_empty() {
                p.quiet {
                    "Every artifact the change may reach is a step above; those that are "
                    em { "unneeded" } " are left alone as well, each with its reason."
                }
            } @else {
                div.scroll {
                    table.cards {
                        (super::tables::headings(&["Artifact", "Needs", "How", "Why the change stopped"]))
                        tbody {
                            @for stop in stops.iter().take(500) {
                                tr {
                                    th scope="row" { (links::artifact(&stop.edge.dependent)) }
                                    td { (links::artifact(&stop.edge.dependency)) }
                                    td { (stop.edge.kind) " " span.evr { (stop.edge.package) } }
                                    td { (stop.because) }
                                }
                            }
                        }
                    }
                }
                @if stops.len() > 500 {
                    p.quiet { "and " (stops.len() - 500) " more edges" }
                }
            }
        }
    }
}
