//! Whose retest counts for whose gate.
//!
//! A changed build's gate waits for the retests of those who use it at run time. A user that also uses something
//! built anew *on top of* the changed build counts there instead. Nor does a gate wait for a user whose fate hangs
//! on a rebuild that itself waits for a gate: the user, the rebuild and the gate would wait for each other.

use std::collections::{HashMap, HashSet};

use model::edge::EdgeKind;
use model::plan::StepIndex;
use model::step::StepState;

use super::{Progress, Word};

/// The run-time users of a unit whose retests its gate reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// They are to be retested, or were: their results count.
    pub retests: Vec<StepIndex>,
    /// What they do is not decided yet, and will be without this gate: it waits for them.
    pub undecided: Vec<StepIndex>,
}

/// Whom the gate of `unit` asks, beside the unit's own tests.
pub fn listeners(progress: &Progress<'_>, unit: usize) -> Listeners {
    let reverse = Reverse::of(progress);
    let members: Vec<StepIndex> = progress.members(unit).collect();
    let above = reverse.closure(&members, |_| true);
    let users = reverse.closure(&members, |kind| kind == EdgeKind::Requires);
    let mut listeners = Listeners::default();
    for user in users {
        match progress.steps[user].state {
            StepState::Retest | StepState::Testing { .. } | StepState::Retested { .. }
                if !uses_above(progress, user, &above) =>
            {
                listeners.retests.push(user);
            }
            StepState::Waiting if !hangs_on_a_gate(progress, user) => {
                listeners.undecided.push(user);
            }
            _ => {}
        }
    }
    listeners.retests.sort_unstable();
    listeners.undecided.sort_unstable();
    listeners
}

/// Whether the user reaches, at run time, something built anew on top of the unit.
fn uses_above(progress: &Progress<'_>, user: StepIndex, above: &HashSet<StepIndex>) -> bool {
    let mut used = used_at_run_time(progress, user).into_iter();
    used.any(|used| above.contains(&used) && matches!(progress.word(used), Word::Changed(_)))
}

/// What a step uses at run time, directly or through others.
pub(super) fn used_at_run_time(progress: &Progress<'_>, step: StepIndex) -> HashSet<StepIndex> {
    needs(progress, step, |kind| kind == EdgeKind::Requires)
}

/// Whether the user's fate waits for a rebuild that cannot start or has failed.
fn hangs_on_a_gate(progress: &Progress<'_>, user: StepIndex) -> bool {
    needs(progress, user, |_| true).into_iter().any(|needed| match progress.steps[needed].state {
        StepState::Rebuild => !progress.obstacles(needed).is_empty(),
        StepState::Failed { .. } => true,
        _ => false,
    })
}

/// Everything a step needs by edges of these kinds, directly or through others; not itself.
fn needs(
    progress: &Progress<'_>,
    step: StepIndex,
    follow: impl Fn(EdgeKind) -> bool,
) -> HashSet<StepIndex> {
    let mut found = HashSet::new();
    let mut open = vec![step];
    while let Some(at) = open.pop() {
        let edges = progress.dependencies(at).filter(|edge| follow(edge.edge.kind));
        open.extend(
            edges.map(|edge| edge.dependency).filter(|&next| next != step && found.insert(next)),
        );
    }
    found
}

/// The plan's edges, from dependency to dependent.
struct Reverse(HashMap<StepIndex, Vec<(StepIndex, EdgeKind)>>);

impl Reverse {
    fn of(progress: &Progress<'_>) -> Self {
        let mut dependents: HashMap<StepIndex, Vec<(StepIndex, EdgeKind)>> = HashMap::new();
        for edge in &progress.plan.edges {
            dependents.entry(edge.dependency).or_default().push((edge.dependent, edge.edge.kind));
        }
        Self(dependents)
    }

    /// Everything that depends on one of `roots` by edges of these kinds, the roots left out.
    fn closure(
        &self,
        roots: &[StepIndex],
        follow: impl Fn(EdgeKind) -> bool,
    ) -> HashSet<StepIndex> {
        let mut found = HashSet::new();
        let mut open = roots.to_vec();
        while let Some(at) = open.pop() {
            let dependents = self.0.get(&at).map_or(&[][..], Vec::as_slice).iter();
            let followed = dependents.filter(|(_, kind)| follow(*kind)).map(|(next, _)| *next);
            open.extend(followed.filter(|next| !roots.contains(next) && found.insert(*next)));
        }
        found
    }
}
