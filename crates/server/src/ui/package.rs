//! `/packages/{name}/{branch}`: a published package, what it needs, who needs it, and what an update of it would reach.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use model::artifact::BranchName;

use super::Ui;
use super::links::encode;
use super::page::{Page, Section, empty};
use super::trouble::Trouble;
use crate::dependencies::name_of;
use crate::dependencies::package::{Need, PackageView};
use crate::dependencies::requires::Requirer;

/// The package as the newest generation has it.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Path((name, branch)): Path<(String, String)>,
) -> Result<Page, Trouble> {
    let none = || Trouble::not_found(format!("No package {name} is published on branch {branch}."));
    let branch: BranchName = branch.parse().map_err(|_| none())?;
    let generation = ui.api.repositories.generation(&branch).await?;
    let package = generation.packages().package(&name).ok_or_else(none)?;
    let body = html! {
        p.crumbs { "Packages / " (branch) }
        h1.evr { (package.package) }
        p.facts {
            span { "generation " (generation.number) }
            span { (package.needs.len()) " requirements" }
            span { (package.provides.len()) " capabilities" }
        }
        div.columns {
            div.wide { (reached(&package, &branch)) }
            div.narrow { (needs(&package.needs, &branch)) (provides(&package.provides)) }
        }
    };
    Ok(Page::new(Section::Artifacts, name, body))
}

/// Who needs it, by distance.
fn reached(package: &PackageView, branch: &BranchName) -> Markup {
    let all = &package.reached.required_by;
    let direct = all.iter().filter(|requirer| requirer.distance == 1).count();
    html! {
        section aria-labelledby="reached" {
            h2 #reached { "What an update would reach" }
            @if all.is_empty() {
                (empty("Nothing needs it.", &html! { "No published package requires what it provides." }))
            } @else {
                p.lead { (direct) " need it directly, " (all.len() - direct) " by way of others." }
                ul.lines {
                    @for Requirer { package, distance, .. } in all {
                        li { (link(branch, name_of(package).unwrap_or(package), package)) span.quiet { " distance " (distance) } }
                    }
                }
            }
        }
    }
}

fn needs(needs: &[Need], branch: &BranchName) -> Markup {
    html! {
        section aria-labelledby="needs" {
            h2 #needs { "What it needs" }
            @if needs.is_empty() { p.quiet { "Nothing." } }
            ul.lines {
                @for Need { requirement, met_by } in needs {
                    li {
                        span.evr { (requirement) }
                        @for name in met_by { " " (link(branch, name, name)) }
                    }
                }
            }
        }
    }
}

fn provides(provides: &[String]) -> Markup {
    html! {
        section aria-labelledby="provides" {
            h2 #provides { "What it provides" }
            ul.lines { @for capability in provides { li { span.evr { (capability) } } } }
        }
    }
}

fn link(branch: &BranchName, name: &str, text: &str) -> Markup {
    let mut url = String::from("/packages/");
    encode(&mut url, name);
    url.push('/');
    encode(&mut url, branch.as_str());
    html! { a.evr href=(url) { (text) } }
}
