//! `/artifacts`: everything that is built, with what is published of it and where it stands.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use model::artifact::{ArtifactKey, BranchName};
use serde::Deserialize;

use super::links::{self, with_query};
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::tables::{headings, onward, views};
use super::trouble::Trouble;
use super::{Ui, words};
use crate::admin::artifacts::{ArtifactFilter, ArtifactView};

/// How many artifacts a page lists.
const LISTED: u32 = 100;

/// Which artifacts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    branch: Option<String>,
    after: Option<String>,
}

/// The page.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let branch: Option<BranchName> = asked.branch.as_deref().and_then(|name| name.parse().ok());
    let after: Option<ArtifactKey> = asked.after.as_deref().and_then(|key| key.parse().ok());
    let filter = ArtifactFilter { branch: branch.clone(), after };
    let artifacts = ui.api.admin.artifacts(&filter, LISTED).await?;
    let branches = ui.api.admin.artifact_branches().await?;
    let now = Now(ui.api.clock.now());
    let full = artifacts.len() == LISTED as usize;
    let more = artifacts.last().filter(|_| full).map(|last| {
        let after = last.artifact.to_string();
        let pairs = [("branch", asked.branch.as_deref()), ("after", Some(after.as_str()))];
        with_query("/artifacts", &pairs)
    });
    let all = [("All branches", "/artifacts".to_owned(), branch.is_none())];
    let of_branch = branches.iter().map(|name| {
        let url = with_query("/artifacts", &[("branch", Some(name.as_str()))]);
        (name.as_str(), url, branch.as_ref() == Some(name))
    });
    let which: Vec<_> = all.into_iter().chain(of_branch).collect();
    let body = html! {
        h1 { "Artifacts" }
        @if branches.len() > 1 { (views("Which branch", &which)) }
        @if artifacts.is_empty() {
            (empty("Nothing has been seen in dist-git yet.", &html! {
                "Push a repository below the dist-git folder: "
                code { "rpms/NAME.git" } " with a spec file on a branch."
            }))
        } @else {
            (table(&artifacts, now))
        }
        (onward(more, "More artifacts"))
    };
    Ok(Page::new(Section::Artifacts, "Artifacts", body))
}

/// Artifacts as they are listed.
pub(super) fn table(artifacts: &[ArtifactView], now: Now) -> Markup {
    html! {
        div.scroll {
            table.cards {
                (headings(&["Artifact", "Published", "Stands", "Since"]))
                tbody {
                    @for view in artifacts {
                        tr {
                            th scope="row" {
                                (links::artifact(&view.artifact))
                                @if view.retired { " " (words::state("retired")) }
                            }
                            td data-label="Published" {
                                @match &view.published {
                                    Some((nvr, number)) => (links::build(*number, nvr)),
                                    None => span.quiet { "nothing yet" },
                                }
                            }
                            td data-label="Stands" {
                                @match &view.standing {
                                    Some(standing) => {
                                        (words::state(standing.state))
                                        span.quiet { " in " (links::plan(standing.plan)) }
                                    },
                                    None => span.quiet { "in no plan" },
                                }
                            }
                            td data-label="Since" {
                                @if let Some(standing) = &view.standing { (now.ago(standing.since)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
