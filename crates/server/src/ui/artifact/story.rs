//! Why an artifact is rebuilt, tested or left alone: the way of the change, from the event that began it.

use maud::{Markup, html};

use crate::admin::AdminError;
use crate::admin::artifacts::ArtifactDetail;
use crate::admin::events::EventView;
use crate::admin::why::{EdgeView, Link};
use crate::admin::why_not::{StopView, WhyNot};
use crate::ui::moments::Now;
use crate::ui::trouble::Trouble;
use crate::ui::{Ui, links, words};

/// The story in one plan, or in the newest that has the artifact; and why the newest plan of its branch has it not.
pub(super) async fn of(
    ui: &Ui,
    detail: &ArtifactDetail,
    plan: Option<i64>,
) -> Result<Markup, Trouble> {
    let key = &detail.artifact.artifact;
    let newest = detail.artifact.standing.map(|standing| standing.plan);
    let now = Now(ui.api.clock.now());
    let asked = plan.or(newest);
    let why = match asked {
        Some(number) => match ui.api.admin.why(key, Some(number)).await {
            Ok(why) => Some(why),
            // The plan has it not; what follows says why.
            Err(AdminError::NotFound(_)) if plan.is_some() => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    // What came last on the branch may have passed it by.
    let why_not = match (plan, &why) {
        (Some(number), None) => Some(ui.api.admin.why_not(key, None, Some(number)).await?),
        (None, _) => {
            let newest = ui.api.admin.why_not(key, None, None).await?;
            Some(newest).filter(|answer| answer.plan != asked && !answer.rebuilt)
        }
        _ => None,
    };
    Ok(html! {
        @if let Some(why) = &why {
            section aria-labelledby="why" {
                h2 #why {
                    "Why it is " (why.chain.first().map(|link| link.state).unwrap_or("here"))
                    span.quiet { " in " (links::plan(why.plan)) }
                }
                (chain(&why.chain, why.event.as_ref(), now))
            }
        }
        @if let Some(answer) = &why_not { (not(answer, now)) }
    })
}

/// From the artifact towards the cause, one link above the other.
fn chain(chain: &[Link], event: Option<&EventView>, now: Now) -> Markup {
    html! {
        ol.chain {
            @for link in chain {
                li class={ "tone-" (words::look(link.state).1) } {
                    p { (links::artifact(&link.artifact)) " " (words::state(link.state)) }
                    p.said { (link.sentence) }
                    @if let Some(trouble) = &link.trouble { p.said.strong { (trouble) } }
                    @if let Some(edge) = &link.edge { (crossed(edge, &link.facets)) }
                }
            }
            @match event {
                Some(event) => li.cause {
                    p { (links::event(event.number)) " " (now.ago(event.time)) }
                    p.said { (event.sentence) }
                },
                None => li.cause { p.quiet { "The event it began with is not recorded." } },
            }
        }
    }
}

fn crossed(edge: &EdgeView, facets: &[model::facet::Facet]) -> Markup {
    html! {
        p.edge {
            (edge.kind) " " span.evr { (edge.package) } " of " (links::artifact(&edge.dependency))
            @for facet in facets { " " span.facet { (facet) } }
        }
    }
}

fn not(answer: &WhyNot, now: Now) -> Markup {
    let is_short = answer.chain.is_empty() && answer.stops.is_empty();
    html! {
        section aria-labelledby="why-not" {
            h2 #why-not {
                "Why it was left alone"
                @if let Some(plan) = answer.plan { span.quiet { " in " (links::plan(plan)) } }
            }
            p.said { (answer.sentence) }
            @if is_short {
                ul.lines {
                    @for event in &answer.events {
                        li { a href={ "/events/" (event.number) } { (event.sentence) } span.quiet { (now.ago(event.time)) } }
                    }
                }
            } @else {
                ul.stops { @for stop in &answer.stops { (stopped(stop)) } }
                (chain(&answer.chain, answer.events.first(), now))
            }
        }
    }
}

fn stopped(stop: &StopView) -> Markup {
    html! {
        li { (crossed(&stop.edge, &stop.facets)) p.said { (stop.sentence) } }
    }
}
