//! The exact search: decides as the fast path does, learns a clause from every contradiction, and so comes
//! to an end with an answer or with the certainty that there is none.
//!
//! Two views of one state walk side by side. The solver's own knows what libsolv would choose next; the
//! [`Rules`] know why something holds. Whatever one of them derives the other is told, so that the search
//! sees as far ahead as the fast path, and a contradiction can be traced.

#[cfg(test)]
mod tests;

use super::{Job, Outcome, Solver};
use crate::clauses::ClauseId;
use crate::rules::{Rules, Subject};

/// How often a choice may be taken back because a later one made it superfluous. The answer is valid
/// without that too; libsolv's order is not worth more.
const POLISH: usize = 10_000;

/// How much of each view the other has seen.
#[derive(Default)]
struct Progress {
    /// Of the trail of the rules.
    rules: usize,
    /// Of the trail of the solver.
    solver: usize,
    /// Of the variables of the rules.
    variables: u32,
    /// Packages the solver decided whose clauses should let the rules see it too.
    owed: Vec<u32>,
}

impl Solver<'_> {
    /// Answers a question by the exact search alone. [`Solver::solve`] does so where it has to; this is
    /// for comparing the two.
    pub fn search(&mut self, job: &Job) -> Outcome {
        if let Err(conflict) = self.begin(job) {
            return Outcome::Unsatisfiable(conflict);
        }
        let base = std::sync::Arc::clone(&self.base_job);
        let mut rules = Rules::new(self.universe, [&base, job], false);
        let outcome = self.search_by(&mut rules, job);
        self.note_rules(&rules);
        outcome
    }

    /// The same for a question that was begun another way, which the answer depends on as well: had it come
    /// to an end, that would be the answer.
    pub(super) fn search_on(&mut self, job: &Job) -> Outcome {
        let before = self.noted();
        let outcome = self.search(job);
        self.note(before);
        outcome
    }

    fn search_by(&mut self, rules: &mut Rules<'_>, job: &Job) -> Outcome {
        let mut progress = Progress::default();
        let (mut polish, mut retaken) = (POLISH, None);
        loop {
            if let Some(failed) = self.settle(rules, &mut progress) {
                let Some(level) = rules.learn(failed) else {
                    return Outcome::Unsatisfiable(self.conflict);
                };
                retaken = None;
                self.retract_to(level);
                progress.retract(rules, self);
                continue;
            }
            let Some(package) = self.retake(&mut retaken).or_else(|| self.decide()) else {
                // What was learned since may say something of the choice once more is open, so that is
                // followed first.
                retaken = self.polish(&mut polish);
                if retaken.is_none() {
                    return self.finish(job);
                }
                rules.backtrack(self.levels.len());
                progress.retract(rules, self);
                continue;
            };
            self.levels.push(self.mark());
            self.install(package);
            rules.decide(package);
        }
    }

    /// What is needed is there; what is only recommended comes on top, by the fast path's means. Where those
    /// do not suffice, it is done without.
    fn finish(&mut self, job: &Job) -> Outcome {
        self.retracted = 0;
        if job.weak && self.run(true).is_err() {
            let mut without = job.clone();
            return self.search_on(without.with_weak(false));
        }
        debug_assert!(self.verify(job), "an answer that is none");
        Outcome::Solved(self.answer())
    }

    /// Goes back to a choice that should have been made another way; the package to choose there.
    fn polish(&mut self, left: &mut usize) -> Option<u32> {
        *left = left.checked_sub(1)?;
        let (branch, at) = self.superfluous()?;
        Some(self.take_branch(branch, at))
    }

    /// The package of a choice that is made another way, unless it was decided meanwhile.
    fn retake(&mut self, retaken: &mut Option<u32>) -> Option<u32> {
        let package = retaken.take()?;
        if self.is_decided(package) {
            // The next decision is none of that choice.
            self.forget_branches(self.levels.len());
            return None;
        }
        Some(package)
    }

    fn retract_to(&mut self, level: usize) {
        if let Some(&mark) = self.levels.get(level) {
            self.undo(mark);
            self.levels.truncate(level);
        }
        self.forget_branches(level);
        self.scan = super::Scan::default();
    }

    /// Follows everything to its end in both views; a clause that fails where there is one.
    fn settle(&mut self, rules: &mut Rules<'_>, progress: &mut Progress) -> Option<ClauseId> {
        loop {
            let failed = rules.propagate();
            if failed.is_some() {
                return failed;
            }
            let holds = self.follow(rules, progress);
            if self.explain(rules, progress) {
                continue;
            }
            if !holds {
                rules.clauses.add_against_decisions();
            } else if !self.tell(rules, progress) {
                return None;
            }
        }
    }

    /// Takes over what the rules derived; false where it contradicts what the solver knows.
    fn follow(&mut self, rules: &Rules<'_>, progress: &mut Progress) -> bool {
        let trail = rules.clauses.trail();
        while let Some(literal) = trail.get(progress.rules) {
            progress.rules += 1;
            let Subject::Package(package) = rules.subject(literal.variable()) else { continue };
            let holds =
                if literal.is_positive() { self.install(package) } else { self.forbid(package) };
            if !holds {
                return false;
            }
        }
        self.propagate()
    }

    /// Makes the clauses that let the rules see what the solver derived about packages they know of.
    /// Whether there were any to make.
    fn explain(&mut self, rules: &mut Rules<'_>, progress: &mut Progress) -> bool {
        let first = progress.owed.len();
        let derived = self.trail.iter().skip(progress.solver).map(|entry| entry >> 1);
        progress.owed.extend(derived.filter(|&package| rules.knows(package)));
        progress.solver = self.trail.len();
        for variable in progress.variables..rules.clauses.variables() {
            if let Subject::Package(package) = rules.subject(variable) {
                progress.owed.push(package);
            }
        }
        progress.variables = rules.clauses.variables();
        let mut is_new = false;
        for &package in &progress.owed[first..] {
            if self.is_decided(package) && rules.value(package).is_none() {
                is_new |= rules.expand(package);
            }
        }
        is_new
    }

    /// Tells the rules what the solver knows and they still cannot see. Whether there was anything.
    fn tell(&self, rules: &mut Rules<'_>, progress: &mut Progress) -> bool {
        let mut is_news = false;
        for package in progress.owed.drain(..) {
            if self.is_decided(package) && rules.value(package).is_none() {
                let literal = rules.package(package);
                let literal = if self.is_installed(package) { literal } else { !literal };
                rules.clauses.add_consequence(literal);
                is_news = true;
            }
        }
        is_news
    }

    fn is_decided(&self, package: u32) -> bool {
        self.state[package as usize] != super::state::UNDECIDED
    }
}

impl Progress {
    fn retract(&mut self, rules: &Rules<'_>, solver: &Solver<'_>) {
        self.rules = self.rules.min(rules.clauses.kept());
        self.solver = self.solver.min(solver.trail.len());
        self.owed.clear();
    }
}
