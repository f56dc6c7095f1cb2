//! The last look at an answer: one pass over it, asking nothing of how it was found.

use super::{Job, Solver};
use crate::tables::PackageId;
use crate::universe::Condition;

impl Solver<'_> {
    /// Whether everything installed has what it needs, nothing installed conflicts, and the job is met. The
    /// base is looked at only where it depends on the question.
    pub(super) fn verify(&self, job: &Job) -> bool {
        let universe = self.universe;
        let holds = |condition: &Condition| {
            condition.when.iter().any(|set| !self.is_met(set.0)) || self.is_met(condition.then.0)
        };
        let conditions = self.watching.iter().map(|(_, at)| &universe.conditions[*at as usize]);
        let is_sound = |&entry: &u32| {
            let id = PackageId(entry >> 1);
            entry & 1 == 1
                || universe.needs(id).all(|set| self.is_met(set.0))
                    && universe.conflicts(id).all(|other| !self.is_installed(other.0))
                    && universe.conditions(id).all(holds)
        };
        self.trail[self.base.trail..].iter().all(is_sound)
            && self.needs.iter().all(|need| self.is_met(need.set))
            && conditions.into_iter().all(holds)
            && self.wants.iter().all(|&set| self.is_met(set))
            && job.forbidden().all(|package| !self.is_installed(package.0))
    }
}
