//! `/composes`: what is in each compose, what it reused, what changed since the one before, and how it grew.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use model::compose::ComposeOutput;
use pipeline::compose::difference::{Difference, Presence, VariantDifference, bytes};

use super::links;
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, charts, images, words};
use crate::admin::composes::{ComposeDetail, ComposeView};

/// How many composes a page lists.
const LISTED: u32 = 50;

/// The list.
pub(super) async fn show(State(ui): State<Arc<Ui>>) -> Result<Page, Trouble> {
    let composes = ui.api.admin.composes(None, LISTED).await?.0;
    let now = Now(ui.api.clock.now());
    let body = html! {
        h1 { "Composes" }
        @if composes.is_empty() {
            (empty("There are no composes.", &html! {
                "A compose is made from a repository " code { "composes/NAME.git" } " with a "
                code { "compose.toml" } "; see the guide for those who make them."
            }))
        } @else {
            (table(&composes, now))
        }
    };
    Ok(Page::new(Section::Composes, "Composes", body))
}

fn table(composes: &[ComposeView], now: Now) -> Markup {
    html! {
        div.scroll {
            table.cards {
                (headings(&["Compose", "State", "Of", "Size", "Reused", "Made"]))
                tbody {
                    @for compose in composes {
                        tr {
                            th scope="row" { a.evr href={ "/composes/" (compose.nvr) } { (compose.id) } }
                            td { (words::state(if compose.published { "published" } else { "not published" })) }
                            td { (links::artifact(&compose.artifact)) }
                            td.number data-label="Size" { (bytes(compose.size)) }
                            td.number data-label="Reused" { (compose.reused) " of " (compose.deliverables) }
                            td data-label="Made" { (now.ago(compose.created)) }
                        }
                    }
                }
            }
        }
    }
}

/// One compose.
pub(super) async fn one(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
) -> Result<Page, Trouble> {
    let detail = ui.api.admin.compose(&name).await?;
    let compose = &detail.compose;
    let mut history = ui.api.admin.composes(Some(&compose.artifact), LISTED).await?.0;
    history.reverse();
    let sizes: Vec<(String, u64)> =
        history.iter().map(|other| (other.id.clone(), other.size)).collect();
    let now = Now(ui.api.clock.now());
    let body = html! {
        p.crumbs { a href="/composes" { "Composes" } " / " (links::artifact(&compose.artifact)) }
        h1.evr { (compose.id) }
        p.facts {
            (words::state(if compose.published { "published" } else { "not published" }))
            span { (links::build(compose.build, &compose.nvr)) " " (now.ago(compose.created)) }
            span { (bytes(compose.size)) }
            span { (compose.reused) " of " (compose.deliverables) " deliverables reused" }
        }
        div.columns {
            div.wide { (since(&detail)) (variants(&detail.output)) }
            div.narrow {
                section aria-labelledby="size" {
                    h2 #size { "Size over time" }
                    (charts::sizes(&sizes))
                }
                (deliverables(&detail.output))
            }
        }
    };
    Ok(Page::new(Section::Composes, compose.id.clone(), body))
}

fn since(detail: &ComposeDetail) -> Markup {
    html! {
        section aria-labelledby="since" {
            h2 #since { "Changed" }
            @match &detail.since {
                Some(difference) => (changed(difference)),
                None => p.quiet { "It is the first of its name." },
            }
        }
    }
}

fn changed(difference: &Difference) -> Markup {
    html! {
        p.quiet { "against " span.evr { (difference.from) } }
        @for variant in &difference.variants { (variant_changed(variant)) }
    }
}

fn variant_changed(variant: &VariantDifference) -> Markup {
    let is_same = variant.packages.is_empty() && variant.images.is_empty();
    html! {
        h3 {
            (variant.variant) " " (variant.arch)
            @match variant.presence {
                Presence::Added => { " " (words::state("added")) },
                Presence::Removed => { " " (words::state("gone")) },
                Presence::Kept => {},
            }
            span.quiet { " " (bytes(variant.size_before)) " → " (bytes(variant.size_now)) }
        }
        @if is_same && variant.presence == Presence::Kept {
            p.quiet { "Nothing changed in it." }
        } @else {
            (images::changed(&variant.packages))
            @if !variant.images.is_empty() { (images::changed(&variant.images)) }
        }
    }
}

fn variants(output: &ComposeOutput) -> Markup {
    html! {
        section aria-labelledby="contents" {
            h2 #contents { "Contents" }
            @for (id, variant) in &output.variants {
                @for (arch, contents) in &variant.arches {
                    details {
                        summary {
                            h3 { (variant.name) } span.quiet {
                                " " (id) " " (arch) ": " (contents.packages.len()) " packages, "
                                (contents.images.len()) " images"
                            }
                        }
                        ul.plain {
                            @for image in &contents.images {
                                li { a.evr href={ "/images/" (image.nvr) } { (image.nvr) } span.quiet { " image" } }
                            }
                            @for package in &contents.packages {
                                li.evr { (package.nevra) span.quiet { " " (bytes(package.size)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn deliverables(output: &ComposeOutput) -> Markup {
    html! {
        section aria-labelledby="deliverables" {
            h2 #deliverables { "Deliverables" }
            ul.lines {
                @for deliverable in &output.deliverables {
                    li {
                        span { (deliverable.key) }
                        span.quiet {
                            @match &deliverable.reused_from {
                                Some(from) => { (words::state("reused")) " from " span.evr { (from) } },
                                None => { (words::state("made")) " " (bytes(deliverable.size)) },
                            }
                        }
                    }
                }
            }
        }
    }
}
