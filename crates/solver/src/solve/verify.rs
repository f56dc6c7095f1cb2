//! The last look at an answer: one pass over it, asking nothing of how it was found.

use super::{Job, Solver};
use crate::universe::Condition;

impl Solver<'_> {
    /// Whether everything installed has what it needs, nothing installed conflicts, and the job is met.
    pub(super) fn verify(&self, job: &Job) -> bool {
        let universe = self.universe;
        let holds = |condition: &Condition| {
            condition.when.iter().any(|set| !self.is_met(set.0)) || self.is_met(condition.then.0)
        };
        let mut installed =
            self.trail.iter().filter(|entry| *entry & 1 == 0).map(|entry| entry >> 1);
        let packages_hold = installed.all(|package| {
            let id = crate::tables::PackageId(package);
            universe.needs(id).all(|set| self.is_met(set.0))
                && universe.conflicts(id).all(|other| !self.is_installed(other.0))
                && universe.conditions(id).all(holds)
        });
        packages_hold
            && self.wants.iter().all(|&set| self.is_met(set))
            && job.forbidden().all(|package| !self.is_installed(package.0))
    }
}
