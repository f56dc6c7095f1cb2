//! Plan, states of its steps, and facts of its builds -> the next states, what may start, and whom a gate waits for.
//!
//! A step's *fate* (rebuild, retest, leave alone) is decided as soon as what its dependencies change is known,
//! which is when they are built, before their gates. Its *start* waits until they are through their gates.

mod cycle;
mod fate;
mod listeners;

use std::collections::HashSet;

use model::artifact::ArtifactKey;
use model::build::Flavour;
use model::id::BuildId;
use model::plan::{Plan, PlanEdge, StepIndex};
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
    let at_run_time = fate::changed_at_run_time(progress);
    progress
        .plan
        .units
        .iter()
        .enumerate()
        .flat_map(|(unit, _)| cycle::decide_unit(progress, unit, &at_run_time))
        .collect()
}

/// The steps that may be built now, should there be capacity: decided, and every dependency through.
pub fn startable(progress: &Progress<'_>, held: &HashSet<ArtifactKey>) -> Vec<StepIndex> {
    let rebuild = |step: &&Step| matches!(step.state, StepState::Rebuild);
    let indices = progress.steps.iter().filter(rebuild).map(|step| step.index);
    indices
        .filter(|&index| !held.contains(&progress.plan.steps[index].artifact))
        .filter(|&index| progress.obstacles(index).is_empty())
        .filter(|&index| cycle::is_next_in_unit(progress, index))
        .collect()
}

/// Whether the unit is built: every member that has to be rebuilt has outputs, and none needs another round.
pub fn is_unit_built(progress: &Progress<'_>, unit: usize) -> bool {
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
        StepState::Retest | StepState::Testing { .. } => {
            listeners::used_at_run_time(progress, index)
        }
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
