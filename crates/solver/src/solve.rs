//! One question, one answer: a set of packages that can be installed together, chosen as libsolv would.
//!
//! A [`Solver`] keeps its workspace from question to question. What must be is propagated; where there is a
//! choice it is made in libsolv's order and can be taken back; what a choice made superfluous is minimised
//! away; and every answer is checked before it leaves.

mod choose;
mod decide;
mod in_order;
mod job;
mod minimise;
mod propagate;
mod rows;
mod search;
mod state;
mod trace;
mod verify;
mod weak;

pub use choose::Rule;
use choose::Shared;
pub(crate) use job::{Ban, Want};
pub use job::{Job, RequestError};
pub(crate) use trace::BaseState;

use crate::tables::{Lists, PackageId};
use crate::universe::{SetId, Universe};
use in_order::InOrder;
use rows::{Beyond, UniverseRows};
use state::{Branch, Mark, Need, Scan};
use std::sync::Arc;

/// How many decisions may be taken back for one question before the exact search has to decide it.
const BUDGET: u32 = 1000;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It can be installed.
    Solved(Answer),
    /// It cannot, whatever is chosen.
    Unsatisfiable(Conflict),
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The packages beyond the solver's base, sorted by id.
    pub packages: Vec<PackageId>,
}

/// Where it became clear that there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Nothing meets what was asked at this position of the job, the base's own being counted first.
    NothingProvides(usize),
    /// This package is needed and cannot be there.
    Package(PackageId),
    /// This set is needed and none of its members can be there.
    Set(SetId),
}

/// Why the fast path has no answer.
enum Stop {
    /// There is none.
    Conflict,
    /// Choices were taken back too often: the exact search has to decide.
    Budget,
}

/// Answers questions over one universe, one after the other.
pub struct Solver<'u> {
    universe: &'u Universe,
    rows: UniverseRows<'u>,
    beyond: Beyond,
    /// By package: undecided, installed or forbidden.
    state: Vec<u8>,
    /// By set: whether somebody installed needs it.
    active: Vec<bool>,
    trail: Vec<u32>,
    activated: Vec<u32>,
    /// How much of the trail has been propagated.
    head: usize,
    needs: Vec<Need>,
    watching: Vec<(u32, u32)>,
    levels: Vec<Mark>,
    branches: Vec<Branch>,
    alternatives: Vec<u32>,
    /// Sets of the job that no package names.
    own_sets: Lists,
    /// Sets the job wants, in its order.
    wants: Vec<u32>,
    favour: Vec<(u32, i32)>,
    exempt_names: Vec<u32>,
    wants_done: usize,
    scan: Scan,
    base_job: Arc<Job>,
    base: Mark,
    base_wants: usize,
    base_sets: usize,
    /// Sets of the base's job that it does not meet by itself, which questions may lose.
    open_own_sets: Vec<u32>,
    /// Sets that were wanted last, in the order they were propagated, each with the mark before it.
    shared: Vec<(u32, Mark)>,
    ordered: Vec<u32>,
    /// Where everything shared is propagated and nothing is decided.
    solved_from: Mark,
    buffer: Vec<u32>,
    open: Vec<Need>,
    in_order: InOrder,
    /// By entry of the trail beyond the base, as far as it is shared: whether it has all it needs by what is
    /// shared.
    confirmed: Vec<bool>,
    /// By set: what is known of what its members provide.
    provides: Vec<Shared>,
    conflict: Conflict,
    base_conflict: Option<Conflict>,
    retracted: u32,
    /// What was taken back since the question began, where that is noted.
    undone: Option<Vec<u32>>,
}

impl<'u> Solver<'u> {
    /// A solver whose questions all build on the same base, say a build group. The base is propagated once;
    /// its choices are made with each question, since they may depend on it.
    #[must_use]
    pub fn new(universe: &'u Universe, base: &Job) -> Self {
        let mut solver = Self {
            universe,
            rows: UniverseRows::of(universe),
            beyond: Beyond::new(universe.tables().len()),
            state: vec![state::UNDECIDED; universe.tables().len()],
            active: vec![false; universe.sets.len()],
            trail: Vec::new(),
            activated: Vec::new(),
            head: 0,
            needs: Vec::new(),
            watching: Vec::new(),
            levels: Vec::new(),
            branches: Vec::new(),
            alternatives: Vec::new(),
            own_sets: Lists::default(),
            wants: Vec::new(),
            favour: Vec::new(),
            exempt_names: Vec::new(),
            wants_done: 0,
            scan: Scan::default(),
            base_job: Arc::new(base.clone()),
            base: Mark::default(),
            base_wants: 0,
            base_sets: 0,
            open_own_sets: Vec::new(),
            shared: Vec::new(),
            ordered: Vec::new(),
            solved_from: Mark::default(),
            buffer: Vec::new(),
            open: Vec::new(),
            in_order: InOrder::new(universe.tables().len()),
            confirmed: Vec::new(),
            provides: Vec::new(),
            conflict: Conflict::Set(SetId::EMPTY),
            base_conflict: None,
            retracted: 0,
            undone: None,
        };
        if !(solver.apply(base) && solver.propagate()) {
            solver.base_conflict = Some(solver.conflict);
        }
        solver.base = solver.mark();
        let installed: Vec<u32> = solver.base().map(|package| package.0).collect();
        solver.beyond.settle(installed.into_iter());
        solver.solved_from = solver.base;
        solver.shared.clear();
        solver.confirmed.clear();
        solver.base_wants = solver.wants.len();
        solver.base_sets = solver.own_sets.len();
        let own_sets = solver.own_set_numbers(0);
        solver.open_own_sets = own_sets.filter(|set| !solver.is_met(*set)).collect();
        solver
    }

    /// A solver that works as mock does: the base is installed on its own, choices made, and questions come
    /// on top of what is installed then.
    ///
    /// # Errors
    /// What became of the base, where it cannot be installed.
    pub fn two_phase(universe: &'u Universe, base: &Job) -> Result<Self, Outcome> {
        Ok(Self::new(universe, &Self::settled_base(universe, base)?))
    }

    /// What [`two_phase`](Self::two_phase) builds on: a job for just the packages that a base installs on its own.
    ///
    /// # Errors
    /// What became of the base, where it cannot be installed.
    pub fn settled_base(universe: &'u Universe, base: &Job) -> Result<Job, Outcome> {
        let mut first = Self::new(universe, base);
        let answer = match first.solve(&base.preferences()) {
            Outcome::Solved(answer) => answer,
            other => return Err(other),
        };
        let mut installed = Job::new();
        for package in base.forbidden() {
            installed.exclude(package);
        }
        for package in first.base().chain(answer.packages) {
            installed.package(package);
        }
        Ok(installed)
    }

    /// What the base installs for every question, its open choices left out.
    pub fn base(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.trail[..self.base.trail]
            .iter()
            .filter(|entry| *entry & 1 == 0)
            .map(|entry| PackageId(entry >> 1))
    }

    /// Answers a question: by libsolv's choices where they lead to an answer, by the exact search where too
    /// many of them have to be taken back.
    pub fn solve(&mut self, job: &Job) -> Outcome {
        if let Err(conflict) = self.begin(job) {
            return Outcome::Unsatisfiable(conflict);
        }
        match self.run(job.weak) {
            Ok(()) if self.verify(job) => Outcome::Solved(self.answer()),
            Ok(()) => {
                debug_assert!(false, "an answer that is none");
                self.search_on(job)
            }
            Err(Stop::Conflict) => Outcome::Unsatisfiable(self.conflict),
            Err(Stop::Budget) => self.search_on(job),
        }
    }

    /// Enters a question and follows what it says without a choice.
    fn begin(&mut self, job: &Job) -> Result<(), Conflict> {
        if let Some(conflict) = self.base_conflict {
            return Err(conflict);
        }
        self.reset(job);
        if self.apply(job) && self.propagate() { Ok(()) } else { Err(self.conflict) }
    }

    /// Decides until nothing is open and nothing is superfluous.
    fn run(&mut self, weak: bool) -> Result<(), Stop> {
        loop {
            while let Some(package) = self.decide() {
                self.try_package(package)?;
            }
            if weak && self.install_weak()? {
                self.scan = Scan::default();
                continue;
            }
            let Some((branch, at)) = self.superfluous() else { return Ok(()) };
            let package = self.take_branch(branch, at);
            self.try_package(package)?;
        }
    }

    /// Installs a package as a decision of a new level; where that cannot be, the package is forbidden at
    /// the level before, which may in turn overthrow that level's decision.
    fn try_package(&mut self, package: u32) -> Result<(), Stop> {
        self.levels.push(self.mark());
        let mut holds = self.install(package) && self.propagate();
        while !holds {
            let Some(level) = self.levels.pop() else {
                return Err(Stop::Conflict);
            };
            self.retracted += 1;
            if self.retracted > BUDGET {
                return Err(Stop::Budget);
            }
            let decision = self.trail[level.trail] >> 1;
            self.undo(level);
            self.forget_branches(self.levels.len());
            self.scan = Scan::default();
            holds = self.forbid(decision) && self.propagate();
        }
        Ok(())
    }

    fn answer(&mut self) -> Answer {
        let mut count = 0;
        for entry in self.trail[self.base.trail..].iter().filter(|entry| *entry & 1 == 0) {
            self.in_order.insert(entry >> 1);
            count += 1;
        }
        // As large as it must be, since there are as many answers as sources.
        let mut packages = Vec::with_capacity(count);
        self.in_order.drain(|package| packages.push(PackageId(package)));
        Answer { packages }
    }
}

#[cfg(test)]
mod tests;
