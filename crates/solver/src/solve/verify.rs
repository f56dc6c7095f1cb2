//! The last look at an answer: one pass over it, asking nothing of how it was found.

use super::{Job, Solver};
use crate::tables::PackageId;
use crate::universe::{Condition, flag};

impl Solver<'_> {
    /// Whether everything installed has what it needs, nothing installed conflicts, and the job is met. The
    /// base is looked at only where it depends on the question.
    pub(super) fn verify(&self, job: &Job) -> bool {
        let universe = self.universe;
        let holds = |condition: &Condition| {
            condition.when.iter().any(|set| !self.is_met(set.0)) || self.is_met(condition.then.0)
        };
        let conditions = self.watching.iter().map(|(_, at)| &universe.conditions[*at as usize]);
        let is_sound = |(at, &entry): (usize, &u32)| {
            let id = PackageId(entry >> 1);
            entry & 1 == 1
                || self.confirmed.get(at).is_some_and(|is_confirmed| *is_confirmed)
                || self.has_its_needs(id.0) && universe.conditions(id).all(holds)
        };
        self.trail[self.base.trail..].iter().enumerate().all(is_sound)
            && self.needs.iter().all(|need| self.is_met(need.set))
            && conditions.into_iter().all(holds)
            && self.wants.iter().all(|&set| self.is_met(set))
            && job.forbidden().all(|package| !self.is_installed(package.0))
    }

    /// Looks once, for all questions that share them, at the packages that are shared since a place in the
    /// trail. What they need stays there; that nothing they conflict with comes later, its own look says.
    pub(super) fn confirm_shared(&mut self, since: usize) {
        for at in since..self.trail.len() {
            let entry = self.trail[at];
            let package = entry >> 1;
            let is_plain = !self.universe.has(package, flag::CONDITIONAL);
            self.confirmed.push(entry & 1 == 0 && is_plain && self.has_its_needs(package));
        }
    }

    fn has_its_needs(&self, package: u32) -> bool {
        self.rows.needs.get(package).iter().all(|&set| self.is_met(set))
            && self.rows.conflicts.get(package).iter().all(|&other| !self.is_installed(other))
    }
}
