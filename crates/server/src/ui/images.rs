//! `/images`: what is in each image, what changed since the one before, and how it grew.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use pipeline::compose::contains::Holding;
use pipeline::compose::difference::{Change, Changed, bytes};
use serde::Deserialize;

use super::links;
use super::moments::Now;
use super::page::{Page, Section, empty};
use super::tables::headings;
use super::trouble::Trouble;
use super::{Ui, charts, words};
use crate::admin::images::{ImageDetail, ImageList, ImageView};

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    contains: Option<String>,
    branch: Option<String>,
}

/// The list, or the answer to which of them contain a package.
pub(super) async fn show(
    State(ui): State<Arc<Ui>>,
    Query(asked): Query<Asked>,
) -> Result<Page, Trouble> {
    let text = asked.contains.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let branch = asked.branch.as_deref().and_then(|name| name.parse().ok());
    let answer = match text.map(str::parse).transpose() {
        Ok(wanted) => ui.api.admin.images(branch.as_ref(), wanted.as_ref()).await,
        Err(error) => Err(crate::admin::AdminError::Input(format!("{error}"))),
    };
    let now = Now(ui.api.clock.now());
    let body = html! {
        h1 { "Images" }
        form.filter action="/images" method="get" {
            label for="contains" { "Which contain" }
            input #contains name="contains" value=[text] placeholder="zlib < 1.3-4" spellcheck="false" autocomplete="off";
            @if let Some(branch) = &asked.branch { input type="hidden" name="branch" value=(branch); }
            button type="submit" { "Show" }
            @if text.is_some() { a href="/images" { "all" } }
        }
        @match &answer {
            Ok(list) => (listed(list, now)),
            Err(error) => p.problem role="alert" { (words::icon("failed")) (error) },
        }
    };
    Ok(Page::new(Section::Images, "Images", body))
}

fn listed(list: &ImageList, now: Now) -> Markup {
    html! {
        @if let (Some(wanted), Some(false)) = (&list.contains, list.known) {
            p.lead { "Unknown: no build of the branch makes a package " code { (wanted.name) } "." }
        }
        @if list.images.is_empty() {
            (empty("There are no images.", &html! {
                "An image is made from a repository " code { "containers/NAME.git" } " with a "
                code { "millstream.toml" } "; see the guide for packagers."
            }))
        } @else {
            (table(&list.images, list.contains.is_some(), now))
        }
    }
}

fn table(images: &[ImageView], is_asked: bool, now: Now) -> Markup {
    let mut columns = vec!["Image", "Newest", "Size", "Packages", "Made"];
    if is_asked {
        columns.insert(1, "Has it");
    }
    html! {
        div.scroll {
            table.cards {
                (headings(&columns))
                tbody {
                    @for image in images {
                        tr {
                            th scope="row" { (links::artifact(&image.artifact)) }
                            @if is_asked { td { (holding(image.holding.as_ref())) } }
                            td {
                                a.evr href={ "/images/" (image.nvr) } { (image.nvr) }
                                span.quiet { @if image.published { " published" } @else { " not published" } }
                            }
                            td.number data-label="Size" { (bytes(image.size)) }
                            td.number data-label="Packages" { (image.packages) }
                            td data-label="Made" { (now.ago(image.created)) }
                        }
                    }
                }
            }
        }
    }
}

/// Absent and unknown are two different things.
fn holding(holding: Option<&Holding>) -> Markup {
    html! {
        @match holding {
            None => {},
            Some(Holding::Contained(packages)) => {
                (words::state("contained"))
                @for package in packages { " " span.evr { (package) } }
            },
            Some(Holding::OtherVersion(packages)) => {
                (words::state("another version"))
                @for package in packages { " " span.evr { (package) } }
            },
            Some(Holding::Absent) => (words::state("absent")),
            Some(Holding::Unknown) => (words::state("unknown")),
        }
    }
}

/// One image.
pub(super) async fn one(
    State(ui): State<Arc<Ui>>,
    Path(name): Path<String>,
) -> Result<Page, Trouble> {
    let detail = ui.api.admin.image(&name).await?;
    let now = Now(ui.api.clock.now());
    let image = &detail.image;
    let body = html! {
        p.crumbs { a href="/images" { "Images" } " / " (links::artifact(&image.artifact)) }
        h1.evr { (image.nvr) }
        p.facts {
            (words::state(if image.published { "published" } else { "not published" }))
            span { (links::build(image.build, "build")) " " (now.ago(image.created)) }
            span { (bytes(image.size)) " in " (detail.layers.len()) " layers" }
            span { (image.packages) " packages" }
            @for parent in &detail.parents { span { "stands on " a.evr href={ "/images/" (parent) } { (parent) } } }
        }
        div.columns {
            div.wide { (since(&detail)) (contents(&detail)) }
            div.narrow { (grown(&detail)) (layers(&detail)) }
        }
    };
    Ok(Page::new(Section::Images, image.nvr.clone(), body))
}

fn since(detail: &ImageDetail) -> Markup {
    html! {
        section aria-labelledby="since" {
            h2 #since { "Changed" }
            @match &detail.since {
                Some((before, changes)) => {
                    p.quiet { "against " a.evr href={ "/images/" (before) } { (before) } }
                    (changed(changes))
                },
                None => p.quiet { "It is the first of its name." },
            }
        }
    }
}

/// Packages or images that are not as they were.
pub(super) fn changed(changes: &[Changed]) -> Markup {
    html! {
        @if changes.is_empty() { p { "No package changed." } }
        ul.lines {
            @for change in changes {
                li {
                    span {
                        (words::state(verb(&change.change))) " " span.evr { (change.name) }
                        @if let Some(arch) = &change.arch { span.evr.quiet { "." (arch) } }
                    }
                    span.quiet { (versions(&change.change)) (growth(change.growth)) }
                }
            }
        }
    }
}

fn verb(change: &Change) -> &'static str {
    match change {
        Change::Added { .. } => "added",
        Change::Removed { .. } => "gone",
        Change::Upgraded { .. } => "upgraded",
        Change::Downgraded { .. } => "downgraded",
        Change::Replaced { .. } => "replaced",
    }
}

fn versions(change: &Change) -> Markup {
    html! {
        span.evr {
            @match change {
                Change::Added { to: at } | Change::Removed { from: at } | Change::Replaced { at } => (at),
                Change::Upgraded { from, to } | Change::Downgraded { from, to } => { (from) " → " (to) },
            }
        }
    }
}

fn growth(growth: i64) -> Markup {
    html! {
        @if growth != 0 {
            " " @if growth > 0 { "+" } @else { "−" } (bytes(growth.unsigned_abs()))
        }
    }
}

fn contents(detail: &ImageDetail) -> Markup {
    html! {
        section aria-labelledby="contents" {
            h2 #contents { "Contents" span.quiet { " " (detail.contents.len()) } }
            div.scroll {
                table.cards {
                    (headings(&["Package", "From", "Why"]))
                    tbody {
                        @for package in &detail.contents {
                            tr {
                                th.evr scope="row" { (package.nevra) }
                                td {
                                    @match &package.artifact {
                                        Some(artifact) => (links::artifact(artifact)),
                                        None => span.quiet { "the toolchain" },
                                    }
                                }
                                td { @if package.direct { "asked for" } @else { span.quiet { "required" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn grown(detail: &ImageDetail) -> Markup {
    html! {
        section aria-labelledby="size" {
            h2 #size { "Size over time" }
            (charts::sizes(&detail.sizes))
        }
    }
}

fn layers(detail: &ImageDetail) -> Markup {
    html! {
        section aria-labelledby="layers" {
            h2 #layers { "Layers" span.quiet { " the lowest first" } }
            ol.lines {
                @for (digest, size) in &detail.layers {
                    li { code { (digest.chars().take(12).collect::<String>()) } span.quiet { (bytes(*size)) } }
                }
            }
            p.quiet { "Manifest " code { (detail.image.digest) } }
        }
    }
}
