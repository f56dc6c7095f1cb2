//! The steps of a plan as a table: searched, sorted by links, a part at a time.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use maud::{Markup, html};
use model::plan::StepIndex;
use model::step::StepState;
use pipeline::plan::report::StepReport;
use serde::Deserialize;

use crate::admin::board::PlanBoard;
use crate::admin::time::Moment;
use crate::ui::links::with_query;
use crate::ui::moments::Now;
use crate::ui::page::empty;
use crate::ui::tables::{Order, onward};
use crate::ui::{links, words};

/// How many steps are shown at once.
const SHOWN: usize = 200;

/// Which steps, in which order.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::ui) struct Asked {
    q: Option<String>,
    state: Option<String>,
    tier: Option<u32>,
    sort: Option<String>,
    from: Option<usize>,
}

impl Asked {
    /// The steps that are asked for, sorted.
    pub(super) fn rows(&self, board: &PlanBoard) -> Vec<StepIndex> {
        let steps = &board.plan.plan.steps;
        let wanted = |index: &StepIndex| {
            let step = &steps[*index];
            let named = |text: &str| step.artifact.to_string().contains(text);
            self.q.as_deref().is_none_or(named)
                && self.state().is_none_or(|state| board.state(*index) == state)
                && self.tier.is_none_or(|tier| step.tier == tier)
        };
        let mut rows: Vec<StepIndex> = (0..steps.len()).filter(wanted).collect();
        let order = Order::of(self.sort.as_deref(), "tier");
        rows.sort_by(|a, b| {
            let by_column = self.compare(board, order.column, (*a, *b));
            let directed = if order.is_descending { by_column.reverse() } else { by_column };
            directed.then_with(|| steps[*a].artifact.cmp(&steps[*b].artifact))
        });
        rows
    }

    fn state(&self) -> Option<&str> {
        self.state.as_deref().filter(|state| !state.is_empty())
    }

    fn compare(&self, board: &PlanBoard, column: &str, (a, b): (StepIndex, StepIndex)) -> Ordering {
        let steps = &board.plan.plan.steps;
        // In the order in which a step goes through the states, what is stuck behind.
        let place = |index| StepState::NAMES.iter().position(|name| *name == board.state(index));
        let since = |index: StepIndex| board.stands.get(index).map(|stand| stand.since);
        match column {
            "artifact" => Ordering::Equal,
            "state" => place(a).cmp(&place(b)),
            "since" => since(a).cmp(&since(b)),
            _ => steps[a].tier.cmp(&steps[b].tier),
        }
    }

    /// Which of so many rows are shown.
    pub(super) fn window(&self, rows: usize) -> (usize, usize) {
        let from = self.from.unwrap_or(0).min(rows);
        (from, (from + SHOWN).min(rows))
    }

    /// What is asked for, as a query.
    pub(super) fn pairs(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![("q", self.q.as_deref()), ("state", self.state()), ("sort", self.sort.as_deref())]
    }

    /// The table.
    pub(super) fn section(
        &self,
        board: &PlanBoard,
        (rows, from, to): (&[StepIndex], usize, usize),
        reports: &BTreeMap<StepIndex, StepReport>,
        now: Now,
    ) -> Markup {
        let path = format!("/plans/{}", board.plan.number);
        let next = to.to_string();
        let mut onward_pairs = self.pairs();
        onward_pairs.push(("from", Some(next.as_str())));
        let more = (to < rows.len()).then(|| with_query(&path, &onward_pairs));
        html! {
            section aria-labelledby="steps" {
                h2 #steps { "Steps" }
                (self.search(&path, rows.len(), board.head.steps))
                @if rows.is_empty() {
                    (empty("No step is like that.", &html! { a href={ (path) "#steps" } { "All steps" } }))
                } @else {
                    (self.table(board, &rows[from..to], reports, now))
                }
                (onward(more, "More steps"))
            }
        }
    }

    fn search(&self, path: &str, found: usize, all: usize) -> Markup {
        html! {
            form.filter action={ (path) "#steps" } method="get" {
                label for="steps-q" { "Name" }
                input #steps-q name="q" value=[self.q.as_deref()] spellcheck="false" autocomplete="off";
                label for="steps-state" { "State" }
                select #steps-state name="state" {
                    option value="" { "any" }
                    @for name in StepState::NAMES {
                        option value=(name) selected[self.state() == Some(name)] { (name) }
                    }
                }
                @if let Some(sort) = &self.sort { input type="hidden" name="sort" value=(sort); }
                button type="submit" { "Show" }
                span.quiet {
                    (found) " of " (all)
                    @if let Some(tier) = self.tier { " in tier " (tier) }
                    @if found < all { " · " a href={ (path) "#steps" } { "all" } }
                }
            }
        }
    }

    fn table(
        &self,
        board: &PlanBoard,
        rows: &[StepIndex],
        reports: &BTreeMap<StepIndex, StepReport>,
        now: Now,
    ) -> Markup {
        let path = format!("/plans/{}", board.plan.number);
        let pairs = [("q", self.q.as_deref()), ("state", self.state())];
        let order = Order::of(self.sort.as_deref(), "tier");
        let columns = [("tier", "Tier"), ("artifact", "Artifact"), ("state", "State")];
        html! {
            div.scroll {
                table.cards.steps-table {
                    thead {
                        tr {
                            @for column in columns { (order.heading(column, &path, &pairs)) }
                            th scope="col" { "Why" }
                            (order.heading(("since", "Since"), &path, &pairs))
                        }
                    }
                    tbody {
                        @for index in rows {
                            @if let Some(report) = reports.get(index) {
                                (row(board, (*index, report), now))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(board: &PlanBoard, (index, report): (StepIndex, &StepReport), now: Now) -> Markup {
    let since = board.stands.get(index).map(|stand| Moment(stand.since));
    let url = format!("{}?plan={}", links::artifact_url(&report.artifact), board.plan.number);
    html! {
        tr id={ "step-" (index) } {
            td.number data-label="Tier" { (report.tier) }
            th scope="row" {
                a.artifact href=(url) {
                    span.kind { (report.artifact.kind) "/" } (report.artifact.name)
                }
                @if let Some(nvr) = &report.nvr { span.evr.quiet { (nvr) } }
            }
            td data-label="State" {
                (words::state(report.state.name()))
                @if report.round > 1 { span.quiet { " round " (report.round) } }
            }
            td.why data-label="Why" {
                (report.explanation())
                @if let Some(rule) = &report.rule { span.rule { " by rule " a href={ "/rules/" (rule) } { (rule) } } }
            }
            td data-label="Since" { @if let Some(since) = since { (now.ago(since)) } }
        }
    }
}
