//! `/where/{name}`: somebody has something installed. Is a fresh build under way, complete, published, or on its way?

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::artifact::BranchName;
use serde::Deserialize;

use super::forms::see_other;
use super::links::{self, encode};
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::AdminError;
use crate::admin::whereabouts::{CarrierView, Freshness, Question, Whereabout, Whereabouts};

/// What is asked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    name: Option<String>,
    installed: Option<String>,
    branch: Option<String>,
}

/// The question, or straight to its answer.
pub(super) async fn ask(Query(asked): Query<Asked>) -> Response {
    let name = asked.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    if let Some(name) = name {
        let mut path = String::from("/where/");
        encode(&mut path, name);
        let pairs = [("installed", asked.installed.as_deref().filter(|text| !text.is_empty()))];
        return see_other(&links::with_query(&path, &pairs));
    }
    let body = html! {
        h1 { "Where is it?" }
        (question("", ""))
        (empty("Name what you have installed.", &html! {
            "A package, an image or a compose: by its name, or as " code { "rpm -q" } " writes it, "
            code { "zlib-1.3-1.f44.x86_64" } "."
        }))
    };
    Page::new(Section::Elsewhere, "Where is it?", body).into_response()
}

fn question(name: &str, installed: &str) -> Markup {
    html! {
        form.filter action="/where" method="get" {
            label for="name" { "I have" }
            input #name name="name" value=(name) placeholder="zlib" spellcheck="false" autocomplete="off";
            label for="installed" { "in version" }
            input #installed name="installed" value=(installed) placeholder="1.3-1.f44" spellcheck="false" autocomplete="off";
            button type="submit" { "Where is it?" }
        }
    }
}

/// The answer, branch by branch.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let installed = asked.installed.as_deref().filter(|text| !text.is_empty());
    let branch: Option<BranchName> = asked.branch.as_deref().and_then(|name| name.parse().ok());
    let answer = match installed.map(str::parse).transpose() {
        Ok(installed) => {
            let question = Question { name: name.clone(), installed, branch };
            ui.api.admin.whereabouts(&question).await
        }
        Err(error) => Err(AdminError::Input(format!("{error}"))),
    };
    let now = Now(ui.api.clock.now());
    let body = html! {
        h1 { "Where is " (name) "?" }
        (question(&name, installed.unwrap_or_default()))
        @match &answer {
            Ok(found) => (answered(found, now)),
            Err(error @ (AdminError::NotFound(_) | AdminError::Input(_))) => p.problem role="alert" {
                (words::icon("failed")) (error)
            },
            Err(error) => p.problem role="alert" { (words::icon("errored")) (error) },
        }
    };
    let mut page = Page::new(Section::Elsewhere, format!("Where is {name}?"), body);
    if let Err(error) = answer {
        page.status = Trouble::from(error).status();
    }
    Ok(page)
}

fn answered(found: &Whereabouts, now: Now) -> Markup {
    html! {
        @if let Some(installed) = &found.installed {
            p.lead { "Seen from somebody who has " span.evr { (installed) } "." }
        }
        @for artifact in &found.artifacts { (whereabout(artifact, now)) }
    }
}

/// What a freshness is called.
fn word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Current => "current",
        Freshness::Published => "published",
        Freshness::Complete => "complete",
        Freshness::UnderWay => "under way",
        Freshness::OnItsWay => "on its way",
        Freshness::Undecided => "undecided",
        Freshness::Stuck => "stuck",
        Freshness::NeverBuilt => "never built",
    }
}

fn whereabout(found: &Whereabout, now: Now) -> Markup {
    let state = word(found.freshness);
    html! {
        article class={ "plan tone-" (words::look(state).1) } {
            h2 { (links::artifact(&found.artifact)) }
            p.answer { (words::state(state)) }
            p.said { (found.sentence) }
            p.facts {
                @if let Some(commit) = &found.commit {
                    span { "branch at " code { (commit.short()) } @if let Some(moved) = found.moved { " " (now.ago(moved)) } }
                }
                @if let Some(published) = &found.published {
                    span {
                        "published " a.evr href={ "/builds/" (published.nvr) } { (published.nvr) }
                        @if let Some(at) = found.published_at { " " (now.ago(at)) }
                    }
                }
                @if let Some(built) = &found.built {
                    span { "newest build " a.evr href={ "/builds/" (built) } { (built) } }
                }
            }
            @if let Some(under_way) = &found.under_way {
                p.facts {
                    (words::state(under_way.state))
                    span { "in " (links::plan(under_way.plan)) " " (now.ago(under_way.since)) }
                    @if let Some(end) = under_way.predicted_end {
                        span.outlook { "built " (now.ago(end)) ", as far as history tells" }
                    }
                }
            }
            (carriers(&found.carriers))
        }
    }
}

fn carriers(carriers: &[CarrierView]) -> Markup {
    html! {
        @if !carriers.is_empty() {
            details {
                summary { "Carried by " (carriers.len()) " images and composes" }
                ul.lines {
                    @for carrier in carriers {
                        li {
                            span { (links::artifact(&carrier.artifact)) " " span.evr.quiet { (carrier.nvr) } }
                            span.quiet {
                                span.evr { (carrier.evr) "." (carrier.arch) }
                                @if !carrier.published { " not published" }
                            }
                        }
                    }
                }
            }
        }
    }
}
