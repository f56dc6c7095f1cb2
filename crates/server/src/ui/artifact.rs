//! `/artifacts/{kind}/{name}/{branch}`: one artifact with its builds, its edges, and why it is rebuilt or left alone.

mod story;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use model::artifact::{ArtifactKey, ArtifactKind};
use serde::Deserialize;

use super::builds;
use super::links::{self, with_query};
use super::moments::{self, Now};
use super::page::{Page, Section};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, charts, ledger, words};
use crate::admin::artifacts::{ArtifactDetail, NeighbourView};

/// How many neighbours are named before the rest is folded away.
const NAMED: usize = 12;

/// In which plan the artifact is looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    plan: Option<i64>,
}

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Path((kind, name, branch)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let key = key(&kind, &name, &branch)?;
    let detail = ui.api.admin.artifact(&key).await?;
    let neighbours = ui.api.admin.neighbours(&ui.api.graph, &key).await?;
    let story = story::of(&ui, &detail, asked.plan).await?;
    let now = Now(ui.api.clock.now());
    let body = html! {
        (heading(&detail, now))
        div.columns {
            div.wide {
                (story)
                (built(&detail, now))
                (planned(&detail, now))
            }
            div.narrow {
                (acts(&detail))
                (held(&detail, now))
                (edges("Needs", "needs", &neighbours.needs))
                (edges("Needed by", "needed", &neighbours.needed_by))
                (waived(&detail, now))
                (happened(&detail, now))
            }
        }
        (ledger::section(&detail.ledger, now))
    };
    Ok(Page::new(Section::Artifacts, key.to_string(), body))
}

fn key(kind: &str, name: &str, branch: &str) -> Result<ArtifactKey, Trouble> {
    let text = format!("{kind}/{name}#{branch}");
    text.parse().map_err(|error| Trouble::not_found(format!("{error}")))
}

fn heading(detail: &ArtifactDetail, now: Now) -> Markup {
    let view = &detail.artifact;
    html! {
        p.crumbs { a href="/artifacts" { "Artifacts" } " / " (view.artifact.kind) " / " (view.artifact.branch) }
        h1 { (view.artifact.name) span.branch { "#" (view.artifact.branch) } }
        p.facts {
            @if view.retired { (words::state("retired")) }
            @match &view.published {
                Some((nvr, number)) => span { "published: " (links::build(*number, nvr)) },
                None => span { "nothing is published yet" },
            }
            @if let Some(standing) = &view.standing {
                span { (words::state(standing.state)) " in " (links::plan(standing.plan)) " " (now.ago(standing.since)) }
            }
            @match (&view.published, view.artifact.kind) {
                (Some((nvr, _)), ArtifactKind::Containers) => span { a href={ "/images/" (nvr) } { "what is in it" } },
                (Some((nvr, _)), ArtifactKind::Composes) => span { a href={ "/composes/" (nvr) } { "what is in it" } },
                _ => {},
            }
            @if let Some((commit, since)) = &detail.tip {
                span { "branch at " code { (commit.short()) } " " (now.ago(*since)) }
            }
            @if let Some(usual) = detail.usual_seconds {
                span { "a build usually takes " (moments::seconds(usual)) }
            }
        }
    }
}

fn acts(detail: &ArtifactDetail) -> Markup {
    let artifact = detail.artifact.artifact.to_string();
    let to = |path: &str, more: &[(&str, Option<&str>)]| {
        let mut pairs = vec![("artifact", Some(artifact.as_str()))];
        pairs.extend_from_slice(more);
        with_query(path, &pairs)
    };
    html! {
        p.acts {
            a.act href=(to("/requests/new", &[("request", Some("rebuild"))])) { "Ask for a rebuild" }
            a.act href=(to("/requests/new", &[("request", Some("retest"))])) { "Ask for a test" }
            @if detail.holds.is_empty() {
                a.act href=(to("/holds/new", &[])) { "Hold or freeze" }
            } @else {
                a.act href=(to("/holds/release", &[])) { "Release" }
            }
        }
    }
}

fn held(detail: &ArtifactDetail, now: Now) -> Markup {
    html! {
        @for hold in &detail.holds {
            article.trouble.tone-held {
                p.facts { (words::icon("held")) (hold.kind.as_str()) " " (now.ago(hold.time)) " by " (hold.author) }
                p.said { (hold.reason) }
                @if let Some(end) = hold.end { p.quiet { "ends " (now.ago(end)) } }
            }
        }
    }
}

fn built(detail: &ArtifactDetail, now: Now) -> Markup {
    let mut figures: Vec<_> = detail
        .builds
        .iter()
        .map(|build| {
            let took = build.took_seconds.unwrap_or(0.0);
            let title = format!("{}: {} {}", build.nvr, build.state, moments::seconds(took));
            (took, words::look(build.state).1, title)
        })
        .collect();
    figures.reverse();
    html! {
        section aria-labelledby="builds" {
            h2 #builds { "Builds" }
            @if detail.builds.is_empty() {
                p.quiet { "It has not been built yet." }
            } @else {
                @if figures.len() > 1 { (charts::bars("How long the last builds took", &figures)) }
                (builds::table(&detail.builds, now))
            }
        }
    }
}

fn planned(detail: &ArtifactDetail, now: Now) -> Markup {
    html! {
        section aria-labelledby="planned" {
            h2 #planned { "In plans" }
            @if detail.steps.is_empty() {
                p.quiet { "No plan has looked at it yet." }
            } @else {
                div.scroll {
                    table.cards {
                        (headings(&["Plan", "State", "Why", "Since"]))
                        tbody {
                            @for step in &detail.steps {
                                tr {
                                    th scope="row" { (links::plan(step.standing.plan)) }
                                    td { (words::state(step.standing.state)) }
                                    td.why { (step.sentence) }
                                    td { (now.ago(step.standing.since)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn edges(title: &str, id: &str, all: &[NeighbourView]) -> Markup {
    // They come sorted by artifact: what joins the same two is one line.
    let groups: Vec<&[NeighbourView]> =
        all.chunk_by(|one, other| one.artifact == other.artifact).collect();
    let (first, rest) = groups.split_at(groups.len().min(NAMED));
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) @if !groups.is_empty() { span.quiet { " " (groups.len()) } } }
            @if groups.is_empty() { p.quiet { "Nothing that is known." } }
            (neighbours(first))
            @if !rest.is_empty() {
                details { summary { "and " (rest.len()) " more" } (neighbours(rest)) }
            }
        }
    }
}

fn neighbours(groups: &[&[NeighbourView]]) -> Markup {
    html! {
        ul.lines {
            @for group in groups {
                li {
                    (links::artifact(&group[0].artifact))
                    span.quiet {
                        @for (index, edge) in group.iter().enumerate() {
                            @if index > 0 { ", " }
                            (edge.kind) " " span.evr { (edge.package) }
                        }
                    }
                }
            }
        }
    }
}

fn waived(detail: &ArtifactDetail, now: Now) -> Markup {
    html! {
        @if !detail.waivers.is_empty() {
            section aria-labelledby="waived" {
                h2 #waived { "Waivers and sign-offs" }
                ul.lines {
                    @for waiver in &detail.waivers {
                        li {
                            span { (words::state(if waiver.in_force { "in force" } else { "ended" })) " " (waiver.case) }
                            span.quiet { (waiver.author) ": " (waiver.reason) " " (now.ago(waiver.time)) }
                        }
                    }
                }
            }
        }
    }
}

fn happened(detail: &ArtifactDetail, now: Now) -> Markup {
    html! {
        section aria-labelledby="events" {
            h2 #events { "Events" }
            @if detail.events.is_empty() { p.quiet { "Nothing has happened to it by itself." } }
            ul.lines {
                @for event in &detail.events {
                    li {
                        a href={ "/events/" (event.number) } { (event.sentence) }
                        span.quiet { (now.ago(event.time)) }
                    }
                }
            }
        }
    }
}
