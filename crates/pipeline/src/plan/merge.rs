//! Plans under way and new roots -> the roots of one plan that goes on with all of it, and when it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::event::Severity;
use model::plan::{Plan, RootAction};
use model::reason::gravest;
use model::step::{Step, StepState};

use super::Root;

/// How long a plan waits for more of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debounce {
    /// After the last change.
    pub quiet: Duration,
    /// After the first change, whatever comes.
    pub at_most: Duration,
}

/// The unfinished work of a plan, as roots of the one that follows it.
///
/// A root that is not published goes on. A dependent that is decided goes on by itself only if its cause is
/// published already; otherwise the cause decides again, and builds with the same inputs are not repeated.
pub fn unfinished(plan: &Plan, steps: &[Step]) -> Vec<Root> {
    let event = |artifact: &ArtifactKey| cause(plan, steps, artifact);
    let carried = |step: &&Step| {
        let planned = &plan.steps[step.index];
        let published = |artifact: &ArtifactKey| {
            let index = plan.step_of(artifact);
            index.is_some_and(|index| matches!(steps[index].state, StepState::Published { .. }))
        };
        let decided = !matches!(step.state, StepState::Waiting | StepState::Retest);
        !step.state.is_settled()
            && (planned.root.is_some() || (decided && step.reason.towards().is_some_and(published)))
    };
    let root = |step: &Step| {
        let planned = &plan.steps[step.index];
        Some(Root {
            artifact: planned.artifact.clone(),
            commit: planned.commit.clone(),
            action: planned.root.unwrap_or(RootAction::Rebuild),
            reason: if planned.root.is_some() {
                planned.reason.clone()
            } else {
                step.reason.clone()
            },
            severity: plan.severity,
            event: event(&planned.artifact)?,
        })
    };
    steps.iter().filter(carried).filter_map(root).collect()
}

/// The event in which the reasons of an artifact's step end.
pub fn cause(plan: &Plan, steps: &[Step], artifact: &ArtifactKey) -> Option<model::id::EventId> {
    let mut at = plan.step_of(artifact)?;
    for _ in 0..steps.len() {
        let reasons = [&steps[at].reason, &plan.steps[at].reason];
        if let Some(event) = reasons.iter().find_map(|reason| reason.event()) {
            return Some(event);
        }
        match reasons[0].towards().and_then(|next| plan.step_of(next)) {
            Some(next) => at = next,
            None => break,
        }
    }
    plan.events.first().copied()
}

/// One root for each artifact: the last in `roots` decides what is built, the gravest how urgent it is.
pub fn one_each(roots: impl IntoIterator<Item = Root>) -> Vec<Root> {
    let mut merged: BTreeMap<ArtifactKey, Root> = BTreeMap::new();
    for mut root in roots {
        if let Some(earlier) = merged.remove(&root.artifact) {
            root.severity = gravest([root.severity, earlier.severity]);
            let rebuild = [root.action, earlier.action].contains(&RootAction::Rebuild);
            root.action = if rebuild { RootAction::Rebuild } else { RootAction::Retest };
        }
        merged.insert(root.artifact.clone(), root);
    }
    merged.into_values().collect()
}

/// When a plan may start: after a quiet time, never later than the hard maximum, at once for a security fix and
/// for one that goes on with a plan that had started.
pub fn start(
    now: Timestamp,
    origin: Timestamp,
    severity: Severity,
    parents: &[&Plan],
    debounce: Debounce,
) -> Timestamp {
    let under_way = parents.iter().any(|parent| parent.start <= now);
    if under_way || severity > Severity::None {
        return now;
    }
    (now + debounce.quiet).min(origin + debounce.at_most).max(now)
}

/// Roots whose reaches meet, together; the others apart. `reached` has one entry for each root, in the same order.
pub fn groups<N: Copy + Eq + std::hash::Hash>(
    roots: Vec<Root>,
    reached: &[(ArtifactKey, Vec<N>)],
) -> Vec<Vec<Root>> {
    let mut group: Vec<usize> = (0..roots.len()).collect();
    let mut first_by_node = std::collections::HashMap::new();
    let mut first_by_key = std::collections::HashMap::new();
    for (index, (artifact, nodes)) in reached.iter().enumerate() {
        let same = *first_by_key.entry(artifact).or_insert(index);
        let met = nodes.iter().map(|node| *first_by_node.entry(*node).or_insert(index));
        for other in met.chain([same]).collect::<Vec<_>>() {
            join(&mut group, index, other);
        }
    }
    let mut groups: BTreeMap<usize, Vec<Root>> = BTreeMap::new();
    for (index, root) in roots.into_iter().enumerate() {
        groups.entry(find(&group, index)).or_default().push(root);
    }
    groups.into_values().collect()
}

fn find(group: &[usize], mut index: usize) -> usize {
    while group[index] != index {
        index = group[index];
    }
    index
}

fn join(group: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(group, a), find(group, b));
    group[a.max(b)] = a.min(b);
}
