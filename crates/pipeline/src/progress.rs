//! Plan, states of its steps, and facts of its builds -> the next states, what may start, and whom a gate waits for.
//!
//! A step's *fate* (rebuild, retest, leave alone) is decided as soon as what its dependencies change is known,
//! which is when they are built, before their gates. Its *start* waits until they are through their gates.

mod cycle;
mod fate;
mod hanging;
mod links;
mod listeners;
mod run_time;

use std::collections::HashSet;

use model::artifact::ArtifactKey;
use model::build::Flavour;
use model::clock::Timestamp;
use model::edge::EdgeKind;
use model::id::BuildId;
use model::plan::{Plan, PlanEdge, RootAction, StepIndex};
use model::reason::Reason;
use model::step::{Step, StepState};

pub use listeners::{Listeners, listeners};

use crate::facts::Facts;

/// A plan as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its steps, by index.
    pub steps: &'a [Step],
    /// The builds that are published, replaced, or made by this plan.
    pub facts: &'a Facts,
}

/// A step's next state, with the reason and the round that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which step.
    pub index: StepIndex,
    /// What it becomes.
    pub state: StepState,
    /// Why.
    pub reason: Reason,
    /// In which round of its cycle.
    pub round: u32,
}

/// What a step says to those that depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Not known yet.
    Open,
    /// It stays as it was.
    Quiet,
    /// It is built anew.
    Changed(BuildId),
}

/// Decides the fate of every step for which enough is known.
///
/// One call goes one hop; call it again with the changes applied until it returns none.
pub fn decide(progress: &Progress<'_>) -> Vec<Change> {
    let look = Look::at(*progress);
    let at_run_time = run_time::changed_at_run_time(&look);
    let units = 0..progress.plan.units.len();
    units.flat_map(|unit| cycle::decide_unit(&look, unit, &at_run_time)).collect()
}

/// A plan at one moment, with the cycles that have not settled: nobody outside such a cycle acts on its outputs, since
/// another round may replace them.
struct Look<'a> {
    progress: Progress<'a>,
    moving: HashSet<usize>,
}

impl<'a> Look<'a> {
    fn at(progress: Progress<'a>) -> Self {
        let mut look = Self { progress, moving: HashSet::new() };
        // Dependencies come first, so that a cycle knows of the cycles below it.
        for (unit, _) in progress.plan.units.iter().enumerate().filter(|(_, unit)| unit.is_cycle())
        {
            if !has_outputs(&progress, unit) || cycle::wants_another_round(&look, unit) {
                look.moving.insert(unit);
            }
        }
        look
    }

    /// The newest build of a dependency that its dependent may act on.
    fn output(&self, edge: &PlanEdge) -> Option<BuildId> {
        let visible = self.is_visible(edge);
        visible.then(|| self.progress.steps[edge.dependency].newest_output()).flatten()
    }

    /// What the dependency says to the dependent.
    fn word(&self, edge: &PlanEdge) -> Word {
        if self.is_visible(edge) { self.progress.word(edge.dependency) } else { Word::Open }
    }

    fn is_visible(&self, edge: &PlanEdge) -> bool {
        let unit = |step: StepIndex| self.progress.plan.steps[step].unit;
        unit(edge.dependency) == unit(edge.dependent)
            || !self.moving.contains(&unit(edge.dependency))
    }
}

/// The steps that may be built now, should there be capacity: decided, in their hours, and every dependency through.
///
/// Those that were found `unresolvable` are passed over; in a cycle the next member takes the turn of one, since what it
/// lacks may be what the next one brings.
pub fn startable(
    progress: &Progress<'_>,
    held: &HashSet<ArtifactKey>,
    unresolvable: &[StepIndex],
    now: Timestamp,
) -> Vec<StepIndex> {
    let rebuild = |step: &&Step| matches!(step.state, StepState::Rebuild);
    let indices = progress.steps.iter().filter(rebuild).map(|step| step.index);
    indices
        .filter(|&index| !held.contains(&progress.plan.steps[index].artifact))
        .filter(|&index| progress.plan.steps[index].may_start(now))
        .filter(|&index| progress.obstacles(index).is_empty())
        .filter(|&index| cycle::is_next_in_unit(progress, index, unresolvable))
        .collect()
}

/// Why a step is rebuilt, as it stands when its build starts, if that is another reason than the one it was decided with:
/// by then everything it depends on is known, and it no longer matters which of them was the quicker.
pub fn settled_reason(progress: &Progress<'_>, index: StepIndex) -> Option<Reason> {
    let step = &progress.steps[index];
    let is_heard = matches!(
        step.reason,
        Reason::Listens { .. } | Reason::Replaced { .. } | Reason::RequirementLost { .. }
    );
    if !is_heard || step.round > 1 {
        return None;
    }
    let reason = fate::heard(&Look::at(*progress), index, progress.plan.steps[index].replaces);
    reason.filter(|reason| *reason != step.reason)
}

/// Whether the rest of the plan may still bring what these steps lack to be built: something is to come that does not
/// itself wait for one of them.
pub fn may_be_solved_later(progress: &Progress<'_>, unresolvable: &[StepIndex]) -> bool {
    let links = links::Links::of(progress);
    let on = unresolvable.iter().map(|&step| hanging::Place::Step(step));
    let hanging = hanging::hanging(progress, &links, on);
    let is_to_come = |step: &Step| {
        matches!(
            step.state,
            StepState::Rebuild
                | StepState::Building { .. }
                | StepState::Built { .. }
                | StepState::Waiting
        )
    };
    progress.steps.iter().any(|step| is_to_come(step) && !hanging.holds(step.index))
}

/// Published run-time users of a unit that changed by themselves and have not passed with it yet.
///
/// Their own rebuilds take the place of the retests the unit's gate would have read; so the unit may be used, but not
/// published, before they pass. Otherwise any commit to a user would open the gate that its failing test holds.
pub fn changed_users(progress: &Progress<'_>, unit: usize) -> Vec<StepIndex> {
    if !progress.members(unit).any(|index| matches!(progress.word(index), Word::Changed(_))) {
        return Vec::new();
    }
    let links = links::Links::of(progress);
    let members = progress.plan.units[unit].members.as_slice();
    let users = links.closure(members, |kind| kind == EdgeKind::Requires).into_iter();
    let mut open: Vec<StepIndex> = users
        .filter(|&user| {
            let planned = &progress.plan.steps[user];
            planned.unit != unit
                && planned.root == Some(RootAction::Rebuild)
                && planned.replaces.is_some()
                && !matches!(
                    progress.steps[user].state,
                    StepState::Passed { .. }
                        | StepState::Published { .. }
                        | StepState::Superseded { .. }
                        | StepState::Cancelled { .. }
                )
        })
        .collect();
    open.sort_unstable();
    open
}

/// Whether the unit is built: every member that has to be rebuilt has outputs, and none needs another round.
pub fn is_unit_built(progress: &Progress<'_>, unit: usize) -> bool {
    let is_cycle = progress.plan.units[unit].is_cycle();
    has_outputs(progress, unit) && !(is_cycle && Look::at(*progress).moving.contains(&unit))
}

fn has_outputs(progress: &Progress<'_>, unit: usize) -> bool {
    progress.members(unit).all(|member| {
        !matches!(
            progress.steps[member].state,
            StepState::Waiting
                | StepState::Rebuild
                | StepState::Building { .. }
                | StepState::Failed { .. }
        )
    })
}

/// Which flavour a step is built in: bootstrap only where a member of its cycle does not exist yet.
pub fn flavour(progress: &Progress<'_>, index: StepIndex, declares_bootstrap: bool) -> Flavour {
    let unit = progress.plan.steps[index].unit;
    let absent = |edge: &PlanEdge| {
        let other = &progress.plan.steps[edge.dependency];
        other.unit == unit
            && edge.dependency != index
            && other.replaces.is_none()
            && progress.steps[edge.dependency].newest_output().is_none()
    };
    if declares_bootstrap && progress.dependencies(index).any(absent) {
        Flavour::Bootstrap
    } else {
        Flavour::Full
    }
}

impl<'a> Progress<'a> {
    /// What stands between a decided step and its start: dependencies outside its unit that are not through.
    pub fn obstacles(&self, index: StepIndex) -> Vec<StepIndex> {
        let unit = self.plan.steps[index].unit;
        let mut obstacles: Vec<StepIndex> = self
            .dependencies(index)
            .map(|edge| edge.dependency)
            .filter(|&dependency| self.plan.steps[dependency].unit != unit)
            .filter(|&dependency| !is_through(&self.steps[dependency].state))
            .collect();
        obstacles.sort_unstable();
        obstacles.dedup();
        obstacles
    }

    fn members(&self, unit: usize) -> impl Iterator<Item = StepIndex> + 'a {
        self.plan.units[unit].members.iter().copied()
    }

    fn dependencies(&self, index: StepIndex) -> std::slice::Iter<'a, PlanEdge> {
        self.plan.dependencies(index).iter()
    }

    fn word(&self, index: StepIndex) -> Word {
        match &self.steps[index].state {
            StepState::Unneeded
            | StepState::Retest
            | StepState::Testing { .. }
            | StepState::Retested { .. } => Word::Quiet,
            state => state.outputs().map_or(Word::Open, Word::Changed),
        }
    }
}

/// Dependents may use what the step stands for.
fn is_through(state: &StepState) -> bool {
    matches!(
        state,
        StepState::Passed { .. }
            | StepState::Published { .. }
            | StepState::Unneeded
            | StepState::Retest
            | StepState::Testing { .. }
            | StepState::Retested { .. }
    )
}

/// The plan's own outputs a step may be built or tested with, beside what is published.
///
/// A build sees what passed its gate, and its own cycle. A retest also sees the builds that are under test with it.
pub fn visible(progress: &Progress<'_>, index: StepIndex) -> Vec<(ArtifactKey, BuildId)> {
    let unit = progress.plan.steps[index].unit;
    let tested_with = match progress.steps[index].state {
        StepState::Retest | StepState::Testing { .. } => links::used_at_run_time(progress, index),
        _ => HashSet::new(),
    };
    let may_see = |step: &&Step| {
        matches!(step.state, StepState::Passed { .. } | StepState::Published { .. })
            || progress.plan.steps[step.index].unit == unit
            || tested_with.contains(&step.index)
    };
    let output = |step: &Step| {
        Some((progress.plan.steps[step.index].artifact.clone(), step.newest_output()?))
    };
    progress.steps.iter().filter(may_see).filter_map(output).collect()
}
