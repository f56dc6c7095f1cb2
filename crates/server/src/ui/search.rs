//! `/search`: from a name, an NVR or a number to its page.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::see_other;
use super::links::{self, artifact_url};
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::trouble::Trouble;
use super::{Ui, artifacts, builds};
use crate::admin::search::Found;

/// What is sought.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sought {
    #[serde(default)]
    q: String,
}

/// The page, or straight to what alone can be meant.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Query(Sought { q }): Query<Sought>,
) -> Result<Response, Trouble> {
    let found = ui.api.admin.search(&q).await?;
    if let Some(url) = only(&found, q.trim()) {
        return Ok(see_other(&url));
    }
    let now = Now(ui.api.clock.now());
    let body = html! {
        h1 { @if q.trim().is_empty() { "Search" } @else { "Search for " q { (q.trim()) } } }
        @if found.is_empty() { (nothing(&q)) } @else { (results(&found, q.trim(), now)) }
    };
    let title = if q.trim().is_empty() { "Search".to_owned() } else { format!("Search for {q}") };
    Ok(Page { sought: q, ..Page::new(Section::Elsewhere, title, body) }.into_response())
}

/// Where to go if the text names one thing alone, in full.
fn only(found: &Found, text: &str) -> Option<String> {
    if found.plan.is_some() || found.event.is_some() {
        return None;
    }
    if let Some(build) = &found.build {
        return (build.nvr == text).then(|| format!("/builds/{}", build.number));
    }
    let named = |artifact: &model::artifact::ArtifactKey| {
        artifact.name.as_str() == text || artifact.to_string() == text
    };
    let mut exact = found.artifacts.iter().filter(|view| named(&view.artifact));
    match (exact.next(), exact.next()) {
        (Some(one), None) => Some(artifact_url(&one.artifact)),
        _ => None,
    }
}

fn nothing(sought: &str) -> Markup {
    let next = html! {
        "Try a part of an artifact's name, a whole NVR such as " code { "zlib-1.3-1.f44" }
        ", or the number of a plan, a build or an event. "
        a href="/artifacts" { "All artifacts" } " · "
        a href=(where_url(sought.trim())) { "Ask for a package by that name" }
    };
    let title = match sought.trim() {
        "" => "What are you looking for?".to_owned(),
        sought => format!("Nothing is called {sought}."),
    };
    empty(&title, &next)
}

fn where_url(name: &str) -> String {
    let mut url = String::from("/where/");
    links::encode(&mut url, name);
    url
}

fn results(found: &Found, sought: &str, now: Now) -> Markup {
    html! {
        @if found.plan.is_some() || found.event.is_some() {
            ul.lines {
                @if let Some(plan) = found.plan { li { (links::plan(plan)) } }
                @if let Some(event) = found.event { li { (links::event(event)) } }
            }
        }
        @if !sought.is_empty() {
            p.onward { a href=(where_url(sought)) { "Where is " (sought) "? Is a fresh build on its way?" } }
        }
        @if let Some(build) = &found.build { (builds::table(std::slice::from_ref(build), now)) }
        @if !found.artifacts.is_empty() { (artifacts::table(&found.artifacts, now)) }
    }
}
