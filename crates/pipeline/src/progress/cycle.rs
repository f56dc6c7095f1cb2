//! A unit's members decide together: one after the other, in rounds, until nothing moves any more.
//!
//! A unit of one member is the same with nobody to wait for and nothing to settle.

use std::collections::HashMap;

use model::gate::{Objection, ObjectionKind};
use model::plan::{PlanEdge, RootAction, StepIndex};
use model::reason::Reason;
use model::step::StepState;

use super::fate::{heard, nothing_heard};
use super::run_time::Use;
use super::{Change, Look, Progress, Word};

/// The next states of one unit's members.
pub(super) fn decide_unit(
    look: &Look<'_>,
    unit: usize,
    at_run_time: &HashMap<StepIndex, Use<'_>>,
) -> Vec<Change> {
    let progress = &look.progress;
    let news: Vec<Change> =
        progress.members(unit).filter_map(|member| called_upon(look, member)).collect();
    if !news.is_empty() || progress.members(unit).any(|member| is_pending(progress, member)) {
        return news;
    }
    if progress.members(unit).any(|member| hears_later(look, member)) {
        return Vec::new();
    }
    progress.members(unit).filter_map(|member| left_alone(look, member, at_run_time)).collect()
}

/// Whether a member of a cycle is called upon by what the others have become.
pub(super) fn wants_another_round(look: &Look<'_>, unit: usize) -> bool {
    look.progress.members(unit).any(|member| called_upon(look, member).is_some())
}

/// Whether it is this member's turn: members are built in the unit's order, one at a time, but for those that were found
/// unresolvable.
pub(super) fn is_next_in_unit(
    progress: &Progress<'_>,
    index: StepIndex,
    unresolvable: &[StepIndex],
) -> bool {
    let unit = progress.plan.steps[index].unit;
    let state = |member: StepIndex| &progress.steps[member].state;
    let is_turn = |&member: &StepIndex| {
        matches!(state(member), StepState::Rebuild) && !unresolvable.contains(&member)
    };
    !progress.members(unit).any(|member| matches!(state(member), StepState::Building { .. }))
        && progress.members(unit).find(is_turn) == Some(index)
}

fn is_pending(progress: &Progress<'_>, member: StepIndex) -> bool {
    matches!(
        progress.steps[member].state,
        StepState::Rebuild | StepState::Building { .. } | StepState::Failed { .. }
    )
}

/// Whether a dependency outside the unit is still open for a member that waits.
fn hears_later(look: &Look<'_>, member: StepIndex) -> bool {
    let progress = &look.progress;
    let unit = progress.plan.steps[member].unit;
    let open = |edge: &PlanEdge| {
        progress.plan.steps[edge.dependency].unit != unit && look.word(edge) == Word::Open
    };
    matches!(progress.steps[member].state, StepState::Waiting)
        && progress.dependencies(member).any(open)
}

/// A rebuild that what is known by now asks for.
///
/// Outside cycles this is asked once: a step is built, tested or left alone when all its dependencies are through.
fn called_upon(look: &Look<'_>, member: StepIndex) -> Option<Change> {
    let progress = &look.progress;
    let step = &progress.steps[member];
    let in_cycle = progress.plan.units[progress.plan.steps[member].unit].is_cycle();
    let again = match step.state {
        StepState::Waiting => false,
        StepState::Built { .. } if in_cycle => true,
        StepState::Unneeded
        | StepState::Retest
        | StepState::Testing { .. }
        | StepState::Retested { .. }
            if in_cycle =>
        {
            false
        }
        _ => return None,
    };
    let built = step.newest_output().or(progress.plan.steps[member].replaces);
    let reason = if again && progress.facts.get(built?).is_some_and(|facts| facts.bootstrap) {
        bootstrapped_is_over(progress, member)?
    } else {
        heard(look, member, built)?
    };
    Some(rebuild(progress, member, again, reason))
}

/// The full flavour follows once every other member of the cycle exists.
fn bootstrapped_is_over(progress: &Progress<'_>, member: StepIndex) -> Option<Reason> {
    let unit = progress.plan.steps[member].unit;
    let exists = |other: StepIndex| {
        progress.steps[other].newest_output().is_some()
            || progress.plan.steps[other].replaces.is_some()
    };
    let reason = Reason::Bootstrapped { because: Box::new(progress.steps[member].reason.clone()) };
    progress.members(unit).all(exists).then_some(reason)
}

fn rebuild(progress: &Progress<'_>, index: StepIndex, again: bool, reason: Reason) -> Change {
    let planned = &progress.plan.steps[index];
    let round = progress.steps[index].round + u32::from(again);
    let max_rounds = progress.plan.units[planned.unit].max_rounds;
    match progress.steps[index].state.build().filter(|_| again && round > max_rounds) {
        None => Change { index, state: StepState::Rebuild, reason, round },
        Some(build) => {
            let facets = match &reason {
                Reason::Listens { change, .. } => {
                    vec![format!("{} of {}", change.facet, change.package)]
                }
                other => vec![other.to_string()],
            };
            let objection = Objection {
                artifact: planned.artifact.clone(),
                case: "millstream.cycle".to_owned(),
                kind: ObjectionKind::Unsettled { facets },
            };
            let state = StepState::Held { build, objections: vec![objection] };
            Change { index, state, reason, round: max_rounds }
        }
    }
}

/// Nobody calls for a rebuild any more: test it if it uses what changed or somebody asked for it, or else leave it.
fn left_alone(
    look: &Look<'_>,
    index: StepIndex,
    at_run_time: &HashMap<StepIndex, Use<'_>>,
) -> Option<Change> {
    let (step, planned) = (&look.progress.steps[index], &look.progress.plan.steps[index]);
    let waits = matches!(step.state, StepState::Waiting);
    if !waits && !matches!(step.state, StepState::Unneeded) {
        return None;
    }
    let used = at_run_time.get(&index).filter(|_| planned.replaces.is_some());
    let (state, reason) = match used {
        Some((edge, change)) => {
            let (edge, change) = (edge.edge.clone(), change.as_ref().clone());
            (StepState::Retest, Reason::UsesAtRunTime { edge, change })
        }
        None if waits && planned.root == Some(RootAction::Retest) => {
            (StepState::Retest, planned.reason.clone())
        }
        None if waits => (StepState::Unneeded, nothing_heard(look, index)),
        None => return None,
    };
    Some(Change { index, state, reason, round: step.round })
}
