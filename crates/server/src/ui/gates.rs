//! `/gates`: what stands at gates, what a person can do about it, and what people have accepted.

mod waive;

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use model::artifact::ArtifactKey;
use model::gate::{Objection, ObjectionKind, WaiverKind};
use store::Page as Part;

pub(super) use waive::{ask, send};

use super::links::{self, with_query};
use super::moments::Now;
use super::page::{Page, Section, live};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::gate_board::{AtGate, GateBoard, remedy};
use crate::admin::overview::Trouble as Cause;
use crate::admin::waivers::WaiverView;

/// The page.
pub(super) async fn show(State(ui): State<Arc<Ui>>) -> Result<Page, Trouble> {
    Ok(Page::new(Section::Gates, "Gates", content(&ui).await?))
}

/// What of it changes.
pub(super) async fn part(State(ui): State<Arc<Ui>>) -> Result<Markup, Trouble> {
    content(&ui).await
}

async fn content(ui: &Ui) -> Result<Markup, Trouble> {
    let board = ui.api.admin.gate_board().await?;
    let waivers = ui.api.admin.waivers(None, None, Part::first(50)).await?.0;
    let now = Now(ui.api.clock.now());
    let body = html! {
        h1 { "Gates" }
        (unsigned(&board, now))
        (refused(&board, now))
        (waiting(&board, now))
        (accepted(&waivers, now))
    };
    Ok(live("live", "/gates/live", true, &body))
}

/// Whether nothing but a person's agreement is missing.
fn is_unsigned(held: &AtGate) -> bool {
    held.objections.iter().all(|objection| objection.kind == ObjectionKind::Unsigned)
}

fn unsigned(board: &GateBoard, now: Now) -> Markup {
    html! {
        @if board.refused.iter().any(is_unsigned) {
            section aria-labelledby="unsigned" {
                h2 #unsigned { "Waits for a sign-off" }
                @for held in board.refused.iter().filter(|held| is_unsigned(held)) { (at_gate(held, now)) }
            }
        }
    }
}

fn refused(board: &GateBoard, now: Now) -> Markup {
    html! {
        section aria-labelledby="refused" {
            h2 #refused { "Refused" }
            @if board.refused.iter().all(is_unsigned) {
                p.quiet { "No gate refuses anything. What fails a required test appears here, with what can be done." }
            }
            @for held in board.refused.iter().filter(|held| !is_unsigned(held)) { (at_gate(held, now)) }
        }
    }
}

fn at_gate(held: &AtGate, now: Now) -> Markup {
    html! {
        article.gate {
            h3 { (links::artifact(&held.artifact)) }
            p.facts {
                (words::state("held"))
                @if let Some((nvr, number)) = &held.build { span { (links::build(*number, nvr)) } }
                span { (links::plan(held.plan)) }
                span { (now.ago(held.since)) }
            }
            ul.objections {
                @for objection in &held.objections {
                    li { (said(objection, &held.artifact)) (act(objection, held)) }
                }
            }
        }
    }
}

/// What is the matter with a test, in a word, with whose test it is and what is known.
fn said(objection: &Objection, subject: &ArtifactKey) -> Markup {
    let (word, note) = words::objection(objection);
    html! {
        span.objection {
            (words::state(word)) " " span.case { (objection.case) }
            @if objection.artifact != *subject { span.quiet { " of " (links::artifact(&objection.artifact)) } }
            @if let Some(note) = note { span.problem-line { (note) } }
        }
    }
}

/// A link to the form that lifts an objection.
fn act(objection: &Objection, held: &AtGate) -> Markup {
    let nvr = held.build.as_ref().map(|(nvr, _)| nvr.as_str());
    // A waiver belongs to the artifact whose test it is; the build at the gate is its own only there.
    let own = nvr.filter(|_| objection.artifact == held.artifact);
    html! {
        @match remedy(&objection.kind) {
            Some(kind) => a.act href=(form_url(kind, objection, own)) { (verb(kind)) },
            None => span.quiet { "Only a new commit or time can help." },
        }
    }
}

fn form_url(kind: WaiverKind, objection: &Objection, nvr: Option<&str>) -> String {
    let path = match kind {
        WaiverKind::Waiver => "/gates/waive",
        WaiverKind::SignOff => "/gates/sign-off",
    };
    let artifact = objection.artifact.to_string();
    let (case, artifact) = (Some(objection.case.as_str()), Some(artifact.as_str()));
    with_query(path, &[("artifact", artifact), ("case", case), ("nvr", nvr)])
}

fn verb(kind: WaiverKind) -> &'static str {
    match kind {
        WaiverKind::Waiver => "Waive…",
        WaiverKind::SignOff => "Sign off…",
    }
}

/// What a person can do about a cause of trouble.
pub(super) fn remedies(cause: &Cause) -> Markup {
    let first = cause.steps.first();
    let plan = first.map(|step| step.plan);
    // A sign-off is for one build, and a waiver may be: the build whose own test it is.
    let own = |objection: &Objection| {
        let step = first.filter(|step| step.artifact == objection.artifact)?;
        step.build.as_ref().map(|(nvr, _)| nvr.as_str())
    };
    html! {
        p.acts {
            @if let Some(objection) = &cause.objection
                && let Some(kind) = remedy(&objection.kind) {
                a.act href=(form_url(kind, objection, own(objection))) { (verb(kind)) }
            }
            @if let Some(plan) = plan { a.act href={ "/plans/" (plan) "/retry" } { "Try again…" } }
        }
    }
}

fn waiting(board: &GateBoard, now: Now) -> Markup {
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { "Waiting for tests" }
            @if board.waiting.is_empty() && board.tests.is_empty() {
                p.quiet { "No test is queued or running." }
            }
            ul.lines {
                @for built in &board.waiting {
                    li {
                        span { (words::state("built")) " " (links::artifact(&built.artifact)) }
                        span.quiet { (now.ago(built.since)) " in " (links::plan(built.plan)) }
                    }
                }
                @for test in &board.tests {
                    li {
                        span { (words::state(test.state)) " " (links::artifact(&test.artifact)) }
                        span.quiet { (now.ago(test.since)) " in " (links::plan(test.plan)) }
                    }
                }
            }
        }
    }
}

fn accepted(waivers: &[WaiverView], now: Now) -> Markup {
    html! {
        section aria-labelledby="accepted" {
            h2 #accepted { "Waivers and sign-offs" }
            @if waivers.is_empty() {
                p.quiet { "Nobody has accepted anything that failed or was removed." }
            } @else {
                div.scroll {
                    table.cards {
                        (headings(&["Case", "State", "Of", "By", "Since", "Until"]))
                        tbody { @for waiver in waivers { (row(waiver, now)) } }
                    }
                }
            }
        }
    }
}

fn row(waiver: &WaiverView, now: Now) -> Markup {
    html! {
        tr {
            th scope="row" { (waiver.case) }
            td {
                (words::state(if waiver.in_force { "in force" } else { "ended" }))
                span.quiet { @if waiver.kind == WaiverKind::SignOff { " sign-off" } @else { " waiver" } }
            }
            td data-label="Of" {
                @match &waiver.nvr {
                    Some(nvr) => span.evr { (nvr) },
                    None => (links::artifact(&waiver.artifact)),
                }
            }
            td.why data-label="By" { (waiver.author) ": " (waiver.reason) }
            td data-label="Since" { (now.ago(waiver.time)) }
            td data-label="Until" {
                @match waiver.end { Some(end) => (now.ago(end)), None => span.quiet { "for ever" } }
            }
        }
    }
}
