//! `/`: what moves now, what waits for whom, when it will end.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use pipeline::plan::report::PlanState;

use super::moments::{self, Now};
use super::page::{Page, Section, empty, live};
use super::plans::{self, counted, title_of};
use super::trouble::Trouble;
use super::{Ui, charts, gates, links, words};
use crate::admin::overview::{Front, MovingPlan, Overview, RunningWork, Trouble as Cause};

/// How many steps of one cause are named.
const NAMED: usize = 6;

/// The page.
pub(super) async fn show(State(ui): State<Arc<Ui>>) -> Result<Page, Trouble> {
    let overview = ui.api.admin.overview().await?;
    Ok(Page::new(Section::Overview, "Overview", content(&overview)))
}

/// What of it changes.
pub(super) async fn part(State(ui): State<Arc<Ui>>) -> Result<Markup, Trouble> {
    Ok(content(&ui.api.admin.overview().await?))
}

fn content(overview: &Overview) -> Markup {
    let now = Now(overview.time.0);
    let body = html! {
        h1 { (headline(overview)) }
        @if overview.last_message.is_none() && overview.open_plans == 0 {
            (before_the_first())
        } @else {
            (pulse(overview, now))
            div.columns {
                div.wide {
                    (moving(overview, now))
                    (under_way(overview, now))
                    (done(overview, now))
                }
                div.narrow {
                    (troubles(overview, now))
                    (published(overview, now))
                    (events(overview, now))
                }
            }
        }
    };
    // An empty one moves with the first push.
    live("live", "/live", true, &body)
}

/// Everything in a sentence.
fn headline(overview: &Overview) -> String {
    let works = overview.running.len();
    let moving = match (works, overview.open_plans) {
        (0, 0) => return "Nothing moves, nothing waits".to_owned(),
        (0, plans) => format!("{} open", counted(plans, "plan is", "plans are")),
        (_, 0) => counted(works as u64, "job runs", "jobs run"),
        (_, plans) => format!(
            "{} for {}",
            counted(works as u64, "job runs", "jobs run"),
            counted(plans, "plan", "plans")
        ),
    };
    match overview.troubles.len() {
        0 => moving,
        causes => {
            format!(
                "{moving}, {} for a person",
                counted(causes as u64, "thing waits", "things wait")
            )
        }
    }
}

fn pulse(overview: &Overview, now: Now) -> Markup {
    html! {
        dl.figures {
            div { dt { "Last message" } dd { (now.ago_or_never(overview.last_message)) } }
            div { dt { "Last progress" } dd { (now.ago_or_never(overview.last_progress)) } }
            div {
                dt { "Building" }
                dd {
                    (overview.running.iter().filter(|work| !work.is_test).count())
                    " of " (overview.capacity) " places"
                }
            }
            div {
                dt { "Queued" }
                dd {
                    (counted(overview.queued_builds, "build", "builds")) ", "
                    (counted(overview.queued_tests, "test run", "test runs"))
                }
            }
        }
    }
}

fn before_the_first() -> Markup {
    let next = html! {
        "Push a commit to a repository below the dist-git folder, or send a message: "
        code { "millstream event send" } ". "
        "What follows from it appears here by itself. "
        code { "millstream demo" } " shows it on an example."
    };
    empty("No message has come in yet.", &next)
}

fn moving(overview: &Overview, now: Now) -> Markup {
    html! {
        section aria-labelledby="moves" {
            h2 #moves { "Moves now" }
            @if overview.running.is_empty() {
                p.quiet {
                    "Nothing is being built or tested. "
                    @if overview.queued_builds + overview.queued_tests > 0 {
                        "What is queued waits for a place, or for a server that builds."
                    }
                }
            } @else {
                ul.works { @for work in &overview.running { (running(work, now)) } }
            }
        }
    }
}

fn running(work: &RunningWork, now: Now) -> Markup {
    let elapsed = now.0.since(work.since.0).as_secs_f64();
    html! {
        li {
            span.what {
                (words::state(if work.is_test { "testing" } else { "building" })) " "
                (links::build(work.build, &work.nvr))
            }
            span.time {
                (now.elapsed(work.since))
                @if let Some(expected) = work.expected_seconds {
                    " · usually " (moments::seconds(expected))
                }
            }
            @if let Some(expected) = work.expected_seconds {
                (charts::progress(elapsed, expected))
            }
        }
    }
}

fn under_way(overview: &Overview, now: Now) -> Markup {
    let beyond = overview.open_plans.saturating_sub(overview.plans.len() as u64);
    html! {
        section aria-labelledby="plans" {
            h2 #plans { "Under way, and what waits for whom" }
            @if overview.plans.is_empty() {
                p.quiet { "Every plan is done. " a href="/plans" { "What was planned" } }
            }
            @for moving in &overview.plans { (plan(moving, now)) }
            @if beyond > 0 {
                p.onward { a href="/plans?open=yes" { (counted(beyond, "older plan", "older plans")) " →" } }
            }
        }
    }
}

fn done(overview: &Overview, now: Now) -> Markup {
    html! {
        @if !overview.done.is_empty() {
            section aria-labelledby="done" {
                h2 #done { "Done lately" }
                (plans::table(&overview.done, now))
                p.onward { a href="/plans" { "All plans →" } }
            }
        }
    }
}

fn plan(moving: &MovingPlan, now: Now) -> Markup {
    let plan = &moving.plan;
    let counts = words::in_order(&plan.counts);
    let (title, more) = title_of(plan);
    html! {
        article.plan {
            h3 { a href={ "/plans/" (plan.number) } { (title) } }
            @if let Some(more) = more { p.under { (more) } }
            p.facts {
                (words::state(&plan.state.to_string())) " "
                span { "plan " (plan.number) " on " (plan.branch) }
                span { (now.ago(plan.created)) }
                (ends(moving, now))
            }
            (charts::shares(plan.steps, counts.iter().copied()))
            p.counts {
                @for (state, count) in &counts {
                    span { (words::icon(words::look(state).0)) (count) " " (state) } " "
                }
            }
            (front(&moving.front))
            @if plan.state == PlanState::Proposed {
                p.acts {
                    a.act href={ "/plans/" (plan.number) "/approve" } { "Approve…" }
                    span.quiet { "It touches more than its rule does by itself." }
                }
            }
        }
    }
}

/// When a plan will end, as far as anybody can say.
fn ends(moving: &MovingPlan, now: Now) -> Markup {
    let outlook = &moving.outlook;
    html! {
        @if moving.plan.start.0 > now.0 {
            span { "starts " (now.ago(moving.plan.start)) }
        }
        @if outlook.at_most_seconds >= 1.0 {
            span.outlook {
                "ends in " (moments::span(outlook.at_least_seconds, outlook.at_most_seconds))
            }
        }
        @if outlook.behind_a_person > 0 {
            span.outlook {
                (counted(outlook.behind_a_person as u64, "step waits", "steps wait")) " for a person"
            }
        }
    }
}

/// Whom the steps of a plan wait for.
pub(super) fn front(front: &[Front]) -> Markup {
    html! {
        @if !front.is_empty() {
            ul.front {
                @for blocker in front {
                    li {
                        (links::artifact(&blocker.artifact)) " " (words::state(blocker.state))
                        span.quiet {
                            " " (counted(blocker.waiting as u64, "step waits", "steps wait")) " for it"
                        }
                    }
                }
            }
        }
    }
}

fn troubles(overview: &Overview, now: Now) -> Markup {
    html! {
        section aria-labelledby="persons" {
            h2 #persons { "Waits for a person" }
            @if overview.troubles.is_empty() {
                p.quiet { "Nothing failed, and no gate refuses anything." }
            }
            @for cause in &overview.troubles { (trouble(cause, now)) }
        }
    }
}

/// One cause, however many steps share it.
fn trouble(cause: &Cause, now: Now) -> Markup {
    let shown = cause.steps.iter().take(NAMED);
    let beyond = cause.steps.len().saturating_sub(NAMED);
    html! {
        article class={ "trouble tone-" (words::look(cause.state).1) } {
            p.facts { (words::state(cause.state)) span { (now.ago(cause.since)) } }
            p.said { (cause.sentence) }
            ul.who {
                @for step in shown {
                    li {
                        (links::artifact(&step.artifact))
                        span.quiet { " in " (links::plan(step.plan)) }
                        @if let Some((_, number)) = &step.build {
                            " " a href={ "/builds/" (number) } { "log" }
                        }
                    }
                }
                @if beyond > 0 { li.quiet { "and " (beyond) " more" } }
            }
            (gates::remedies(cause))
        }
    }
}

fn published(overview: &Overview, now: Now) -> Markup {
    html! {
        section aria-labelledby="published" {
            h2 #published { "Published" }
            @if overview.published.is_empty() {
                p.quiet { "No repository has been published yet." }
            }
            ul.lines {
                @for generation in &overview.published {
                    li {
                        span { (generation.branch) " generation " (generation.generation) }
                        span.quiet {
                            (now.ago(generation.time))
                            @if let Some(plan) = generation.plan { " by " (links::plan(plan)) }
                        }
                    }
                }
            }
        }
    }
}

fn events(overview: &Overview, now: Now) -> Markup {
    html! {
        section aria-labelledby="events" {
            h2 #events { "Happened" }
            ul.lines {
                @for event in &overview.events {
                    li {
                        @let (title, more) = plans::titled(&event.event);
                        a href={ "/events/" (event.number) } { (title) }
                        span.quiet {
                            @if let Some(more) = more { (more) " · " }
                            (now.ago(event.time)) " " (words::state(event.state.as_str()))
                        }
                    }
                }
            }
            p.onward { a href="/events" { "All events →" } }
        }
    }
}
