//! A plan's edges the other way round: from what is needed to those who need it.

use std::collections::HashSet;

use model::edge::EdgeKind;
use model::plan::StepIndex;

use super::Progress;

/// The dependents of each step.
pub(super) struct Links(Vec<Vec<(StepIndex, EdgeKind)>>);

impl Links {
    pub(super) fn of(progress: &Progress<'_>) -> Self {
        let mut dependents = vec![Vec::new(); progress.plan.steps.len()];
        for edge in &progress.plan.edges {
            dependents[edge.dependency].push((edge.dependent, edge.edge.kind));
        }
        Self(dependents)
    }

    /// The steps that depend on this one directly.
    pub(super) fn dependents(&self, step: StepIndex) -> impl Iterator<Item = StepIndex> + '_ {
        self.0[step].iter().map(|(dependent, _)| *dependent)
    }

    /// Everything that depends on one of `roots` by edges of these kinds, the roots left out.
    pub(super) fn closure(
        &self,
        roots: &[StepIndex],
        follow: impl Fn(EdgeKind) -> bool,
    ) -> HashSet<StepIndex> {
        let mut found: HashSet<StepIndex> = roots.iter().copied().collect();
        let mut open = roots.to_vec();
        while let Some(at) = open.pop() {
            let followed = self.0[at].iter().filter(|(_, kind)| follow(*kind));
            open.extend(followed.map(|(next, _)| *next).filter(|next| found.insert(*next)));
        }
        roots.iter().for_each(|root| {
            found.remove(root);
        });
        found
    }
}

/// What a step uses at run time, directly or through others.
pub(super) fn used_at_run_time(progress: &Progress<'_>, step: StepIndex) -> HashSet<StepIndex> {
    let mut found = HashSet::new();
    let mut open = vec![step];
    while let Some(at) = open.pop() {
        let edges = progress.dependencies(at).filter(|edge| edge.edge.kind == EdgeKind::Requires);
        let used = edges.map(|edge| edge.dependency);
        open.extend(used.filter(|&next| next != step && found.insert(next)));
    }
    found
}
