//! `/builds/{number}`: a build with its log as it grows, what it changed, and what else failed in the same way.

mod log;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use model::artifact::ArtifactKind;
use model::facet::FacetChange;
use serde::Deserialize;

pub(super) use log::{more, raw, test};

use super::links;
use super::moments::{self, Now};
use super::page::{Page, Section, live};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::builds::BuildDetail;
use crate::admin::facets::BuildDifference;
use crate::admin::gates::GateResults;
use crate::admin::logs::Wanted;

/// How many lines of a changed facet are shown.
const LINES: usize = 12;

/// Which part of the log.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    line: Option<u64>,
}

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let detail = ui.api.admin.build(&name).await?;
    let number = detail.build.number;
    let name = number.to_string();
    let failed_line = detail.build.failure.as_ref().and_then(|failure| failure.line);
    let line = asked.line.or(failed_line);
    let wanted = line.map_or(Wanted::End, Wanted::Around);
    let (part, file) = ui.api.admin.log_part(&name, wanted).await?;
    let results = ui.api.admin.gate_results(&name).await?;
    let differences = ui.api.admin.difference_to_last(&name).await?;
    let now = Now(ui.api.clock.now());
    let body = html! {
        (heading(&ui, &detail, now).await?)
        div.columns {
            div.wide { (log::section(number, &part, line, file.ended)) }
            div.narrow {
                (changed(differences.as_ref()))
                (tested(&results, now))
                (made(&detail))
                (buildroot(&detail))
            }
        }
    };
    Ok(Page::new(Section::Builds, detail.build.nvr.clone(), body))
}

/// The heading, while the build is under way.
pub(super) async fn part(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
) -> Result<Markup, Trouble> {
    let detail = ui.api.admin.build(&name).await?;
    heading(&ui, &detail, Now(ui.api.clock.now())).await
}

async fn heading(ui: &Ui, detail: &BuildDetail, now: Now) -> Result<Markup, Trouble> {
    let build = &detail.build;
    let is_open = matches!(build.state, "queued" | "running");
    let alike = match &build.failure {
        Some(failure) => Some(ui.api.admin.failed_alike(build, failure).await?),
        None => None,
    };
    let plans = ui.api.admin.plans_of_build(detail).await?;
    let body = html! {
        p.crumbs { a href="/builds" { "Builds" } " / " (links::artifact(&build.artifact)) }
        h1.evr { (build.nvr) }
        p.facts {
            (words::state(build.state))
            @if let Some(since) = detail.running_since { span { (now.elapsed(since)) } }
            @if let Some(took) = build.took_seconds { span { "took " (moments::seconds(took)) } }
            span { "commit " code { (build.commit.short()) } }
            @if build.flavour != "full" { span { (build.flavour) " flavour" } }
            @if build.attempt > 1 { span { "attempt " (build.attempt) } }
            span { "asked for " (now.ago(build.created)) }
            @match (build.state, build.artifact.kind) {
                ("succeeded", ArtifactKind::Containers) => span { a href={ "/images/" (build.nvr) } { "what is in it" } },
                ("succeeded", ArtifactKind::Composes) => span { a href={ "/composes/" (build.nvr) } { "what is in it" } },
                _ => {},
            }
            @for plan in &plans { span { "for " (links::plan(*plan)) } }
        }
        @if let Some(failure) = &build.failure {
            article.trouble.tone-failed {
                p.said.strong { (failure) }
                @if let Some(alike) = &alike { (others(alike)) }
            }
        }
    };
    Ok(live("heading", &format!("/builds/{}/live", build.number), is_open, &body))
}

/// The same failure elsewhere: one cause is looked at once.
fn others(alike: &crate::admin::builds::FailedAlike) -> Markup {
    html! {
        @match alike.others {
            0 => p.quiet { "No other build failed in this way." },
            count => details {
                summary { "The same failure in " (super::plans::counted(count, "other build", "others")) }
                ul.lines {
                    @for build in &alike.builds { li { (links::build(build.number, &build.nvr)) } }
                    @if count > alike.builds.len() as u64 {
                        li.quiet { "and " (count - alike.builds.len() as u64) " older ones" }
                    }
                }
            },
        }
    }
}

fn changed(differences: Option<&BuildDifference>) -> Markup {
    html! {
        @if let Some(BuildDifference { since, changes, .. }) = differences {
            section aria-labelledby="changed" {
                h2 #changed { "Changed" }
                p.quiet { "against " a.evr href={ "/builds/" (since) } { (since) } }
                @if changes.is_empty() {
                    p { "Nothing that anybody could listen to." }
                } @else {
                    ul.changes { @for change in changes { (facet(change)) } }
                }
            }
        }
    }
}

fn facet(change: &FacetChange) -> Markup {
    let added = change.added.iter().map(|line| ("+", "added", line));
    let lines: Vec<_> =
        change.removed.iter().map(|line| ("−", "removed", line)).chain(added).collect();
    html! {
        li {
            details {
                summary {
                    span.facet { (change.facet) } " of " span.evr { (change.package) }
                    span.quiet { " +" (change.added.len()) " −" (change.removed.len()) }
                }
                ul.diff {
                    @for (sign, word, line) in lines.iter().take(LINES) {
                        li class=(word) { span.unseen { (word) ": " } span aria-hidden="true" { (sign) " " } (line) }
                    }
                    @if lines.len() > LINES { li.quiet { "and " (lines.len() - LINES) " more lines" } }
                }
            }
        }
    }
}

fn tested(results: &GateResults, now: Now) -> Markup {
    html! {
        section aria-labelledby="tests" {
            h2 #tests { "Tests" }
            @if results.results.is_empty() {
                p.quiet { "No result has been reported." }
            } @else {
                table.plain {
                    (headings(&["Case", "Outcome", "When"]))
                    tbody {
                        @for result in &results.results {
                            tr {
                                th scope="row" {
                                    @match &result.run {
                                        Some(run) => a href={ "/tests/" (run) "/" (result.case) } { (result.case) },
                                        None => (result.case),
                                    }
                                }
                                td {
                                    (words::state(words::outcome(result.outcome)))
                                    @if !result.note.is_empty() { span.problem-line { (result.note) } }
                                }
                                td { (now.ago(result.time)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn made(detail: &BuildDetail) -> Markup {
    html! {
        @if !detail.packages.is_empty() {
            section aria-labelledby="packages" {
                h2 #packages { "Packages" }
                ul.plain { @for package in &detail.packages { li.evr { (package) } } }
            }
        }
    }
}

fn buildroot(detail: &BuildDetail) -> Markup {
    let direct = detail.buildroot.iter().filter(|package| package.direct).count();
    html! {
        section {
            details {
                summary {
                    h2 { "Buildroot" }
                    span.quiet { " " (detail.buildroot.len()) " packages, " (direct) " asked for" }
                }
                ul.plain {
                    @for package in &detail.buildroot {
                        li.evr { (package.nevra) @if package.direct { span.quiet { " asked for" } } }
                    }
                }
                p.quiet { "Inputs " code { (detail.input.short()) } ", repository " code { (detail.snapshot.short()) } }
            }
        }
    }
}
