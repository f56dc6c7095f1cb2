//! The log of a build: the part that matters, with numbers one can link to, growing while the build runs.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::id::TestRunId;
use serde::Deserialize;

use crate::admin::logs::{LogPart, Wanted};
use crate::ui::Ui;
use crate::ui::trouble::Trouble;

/// From which byte on.
#[derive(Debug, Deserialize)]
pub(in crate::ui) struct After {
    after: u64,
}

/// The log on a build's page.
pub(super) fn section(number: i64, part: &LogPart, line: Option<u64>, ended: bool) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 #log { "Log" }
            p.quiet {
                @if part.lines.is_empty() && !ended { "The build has not written anything yet. " }
                @else if part.lines.is_empty() { "There is no log. " }
                @if part.is_cut { "From line " (part.first_line) " on. " }
                @if let Some(line) = line { a href={ "#L" (line) } { "Line " (line) } " · " }
                @if part.length > 0 { a href={ "/builds/" (number) "/log.txt" } { "The whole log" } }
            }
            div.log tabindex="0" role="region" aria-labelledby="log" data-follow[!ended] {
                (lines(part, line))
                (goes_on(number, part, ended))
            }
        }
    }
}

fn lines(part: &LogPart, marked: Option<u64>) -> Markup {
    html! {
        @for (number, text) in (part.first_line..).zip(&part.lines) {
            div.line id={ "L" (number) } aria-current=[(marked == Some(number)).then_some("true")] {
                a.number href={ "#L" (number) } aria-label={ "Line " (number) } { (number) }
                span { (text) }
            }
        }
    }
}

/// Asks for what comes next, as long as something may come.
fn goes_on(number: i64, part: &LogPart, ended: bool) -> Markup {
    let source = format!("/builds/{number}/log?after={}", part.end);
    html! {
        @if part.has_more() && ended {
            p.more { a href=(source) hx-get=(source) hx-target="closest .more" hx-swap="outerHTML" { "More of the log" } }
        } @else if !ended {
            p.more hx-get=(source) hx-trigger="load delay:1s" hx-swap="outerHTML" role="status" {
                "The build goes on…"
            }
        }
    }
}

/// What came after: lines, and what asks for the next.
pub(in crate::ui) async fn more(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Response, Trouble> {
    let (part, log) = ui.api.admin.log_part(&name, Wanted::After(after)).await?;
    let number = name.parse().unwrap_or_default();
    let body = html! { (lines(&part, None)) (goes_on(number, &part, log.ended)) };
    Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response())
}

/// The whole log as a file.
pub(in crate::ui) async fn raw(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let log = ui.api.admin.build_log(&name).await?;
    let text = tokio::fs::read(&log.path).await.map_err(|error| {
        Trouble::not_found(format!("The log of build {name} cannot be read: {error}"))
    })?;
    Ok(plain_text(text))
}

/// The log of one test case of a run.
pub(in crate::ui) async fn test(
    State(ui): State<Arc<Ui>>,
    Path((run, case)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let none = || Trouble::not_found(format!("No log of {case} in test run {run} is kept."));
    let id: TestRunId = run.parse().map_err(|_| none())?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if case.starts_with('.') || !case.chars().all(is_name) {
        return Err(none());
    }
    let folder = ui.api.config.test_logs_root().join(id.to_string());
    let text = tokio::fs::read(folder.join(format!("{case}.log"))).await.map_err(|_| none())?;
    Ok(plain_text(text))
}

fn plain_text(text: Vec<u8>) -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, "no-store")], text).into_response()
}
