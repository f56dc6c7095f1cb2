//! All answers of a distribution, kept in step with it: after a change only those are found anew that may
//! depend on what it touched, and none of these is missed.
//!
//! An answer depends on the packages that were installed on the way to it (those that were taken back
//! again, too), on the candidates of what these need, and on what they forbid. The first are indexed from
//! package to question; candidates are found through the packages that need them; and what is forbidden is
//! followed upwards from where it changes, through packages that are forbidden for some question.

mod affected;
mod base;

use crate::batch::Batch;
use crate::change::{Effect, LiveUniverse};
use crate::solve::{BaseState, Job, Outcome, RequestError, Solver};
use crate::tables::{PackageId, PackedLists};
use crate::universe::{Universe, flag};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many answers are found before they are kept.
const PART: usize = 8192;

/// What is asked of each source or package.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// What every buildroot has: names, capabilities, files. What nobody provides is passed over.
    pub group: Vec<String>,
    /// Whether what a source says must not be in its buildroot is kept out.
    pub with_build_conflicts: bool,
}

/// How a question was answered, the packages left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It can be installed.
    Solved,
    /// It cannot, whatever is chosen.
    Unsatisfiable,
    /// Whom it was about is not there.
    Gone,
}

/// An answer that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whom the question is about.
    pub about: PackageId,
    /// Before and after.
    pub verdicts: (Verdict, Verdict),
    /// Packages that are in the answer now and were not, sorted.
    pub added: Vec<PackageId>,
    /// The other way round.
    pub removed: Vec<PackageId>,
}

/// One answer with what it depends on.
struct Found {
    verdict: Verdict,
    answer: Vec<u32>,
    /// Installed on the way, and not in the answer; sorted.
    tried: Vec<u32>,
}

/// All answers, as what they add to the base.
#[derive(Debug)]
pub struct Watch {
    questions: Questions,
    about: Vec<PackageId>,
    number_of: FxHashMap<PackageId, u32>,
    verdicts: Vec<Verdict>,
    answers: PackedLists,
    tried: PackedLists,
    /// By package: the questions on the way to whose answers it was installed.
    by_package: PackedLists,
    /// By package: whether it was ever forbidden for any question.
    forbidden: Vec<AtomicBool>,
    base_job: Job,
    base: BaseState,
}

impl Watch {
    /// Finds the answers for all of these sources and packages.
    ///
    /// # Errors
    /// Where a member of the group is neither a name nor a name with a version.
    pub fn new(
        live: &LiveUniverse,
        questions: Questions,
        about: Vec<PackageId>,
        threads: usize,
    ) -> Result<Self, RequestError> {
        let base = questions.base(live.universe())?;
        Ok(Self::on_base(live, (questions, base), about, threads))
    }

    /// The same where the base that the questions have is known already.
    pub(crate) fn on_base(
        live: &LiveUniverse,
        (questions, base_job): (Questions, Job),
        about: Vec<PackageId>,
        threads: usize,
    ) -> Self {
        let universe = live.universe();
        let base = Solver::new(universe, &base_job).base_state();
        let mut watch = Self {
            number_of: about.iter().copied().zip(0..).collect(),
            verdicts: vec![Verdict::Gone; about.len()],
            questions,
            about,
            answers: PackedLists::default(),
            tried: PackedLists::default(),
            by_package: PackedLists::default(),
            forbidden: Vec::new(),
            base_job,
            base,
        };
        let all: Vec<u32> = (0..watch.about.len() as u32).collect();
        watch.forbidden.resize_with(universe.tables().len(), AtomicBool::default);
        watch.note_base();
        for part in all.chunks(PART) {
            watch.enter_part(universe, part, threads);
        }
        watch
    }

    /// Whom the questions are about, in their order.
    #[must_use]
    pub fn about(&self) -> &[PackageId] {
        &self.about
    }

    /// How the question about a source or package was answered; none where it is not watched.
    #[must_use]
    pub fn verdict(&self, about: PackageId) -> Option<Verdict> {
        self.number_of.get(&about).map(|&number| self.verdicts[number as usize])
    }

    /// What would be installed beyond the base, sorted; empty where nothing can be.
    pub fn answer(&self, about: PackageId) -> impl Iterator<Item = PackageId> + '_ {
        let number = self.number_of.get(&about).copied().unwrap_or(u32::MAX);
        self.answers.get(number).map(PackageId)
    }

    /// What every answer has, its open choices left out.
    pub fn base(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.base.installed.iter().map(|&id| PackageId(id))
    }

    /// Bytes all this takes, about.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        let lists = [&self.answers, &self.tried, &self.by_package];
        let lists: usize = lists.iter().map(|lists| lists.byte_len()).sum();
        lists + self.forbidden.len() + self.about.len() * 16
    }

    /// The sources and packages whose answers may differ after a change that was applied to the universe, in
    /// the order of the questions.
    #[must_use]
    pub fn affected(&self, live: &LiveUniverse, effect: &Effect) -> Vec<PackageId> {
        let affected = self.find_affected(live, effect);
        affected.questions.into_iter().map(|number| self.about[number as usize]).collect()
    }

    /// Brings the answers in step with a change that was applied to the universe; new sources become
    /// questions where sources are watched. Returns which answers are not what they were, a package that
    /// only has another version counting as the same.
    pub fn follow(
        &mut self,
        live: &LiveUniverse,
        effect: &Effect,
        threads: usize,
    ) -> Vec<Difference> {
        let universe = live.universe();
        let affected = self.find_affected(live, effect);
        self.forbidden.resize_with(universe.tables().len(), AtomicBool::default);
        for &package in &affected.disturbed {
            *self.forbidden[package as usize].get_mut() = true;
        }
        if let Some((job, base)) = affected.base {
            (self.base_job, self.base) = (job, base);
            self.note_base();
        }
        let mut questions = affected.questions;
        questions.extend(self.take_in_sources(universe, effect));
        if questions.is_empty() {
            return Vec::new();
        }
        self.enter_all(universe, &questions, threads)
    }

    /// What would follow from a change that was applied to the universe, which the answers do not follow.
    /// Changes of verdict only.
    #[must_use]
    pub fn preview(
        &self,
        live: &LiveUniverse,
        effect: &Effect,
        threads: usize,
    ) -> Vec<(PackageId, Verdict, Verdict)> {
        let affected = self.find_affected(live, effect);
        let base = affected.base.as_ref().map_or(&self.base_job, |(job, _)| job);
        let found =
            self.find(live.universe(), (base, threads), &affected.questions, |_, outcome| {
                verdict(&outcome)
            });
        let both = affected.questions.iter().zip(found);
        let all = both.map(|(&number, now)| {
            let about = self.about[number as usize];
            let is_there = live.is_present(about);
            let now = if is_there { now } else { Verdict::Gone };
            (about, self.verdicts[number as usize], now)
        });
        all.filter(|(_, before, now)| before != now).collect()
    }

    fn take_in_sources(&mut self, universe: &Universe, effect: &Effect) -> Vec<u32> {
        let watches_sources = self.about.iter().any(|id| universe.has(id.0, flag::SOURCE));
        let changed = effect.changed.iter().copied().filter(|_| watches_sources);
        let new = changed.filter(|id| universe.has(id.0, flag::SOURCE));
        let new: Vec<PackageId> = new.filter(|id| !self.number_of.contains_key(id)).collect();
        let first = self.about.len() as u32;
        self.number_of.extend(new.iter().copied().zip(first..));
        self.about.extend(&new);
        self.verdicts.resize(self.about.len(), Verdict::Gone);
        (first..self.about.len() as u32).collect()
    }

    fn note_base(&mut self) {
        for &package in &self.base.forbidden {
            *self.forbidden[package as usize].get_mut() = true;
        }
    }

    fn find<T: Send>(
        &self,
        universe: &Universe,
        (base, threads): (&Job, usize),
        questions: &[u32],
        take: impl Fn(&Solver<'_>, Outcome) -> T + Sync,
    ) -> Vec<T> {
        if questions.is_empty() {
            return Vec::new();
        }
        let batch = Batch { universe, base, threads, keeps_trace: true };
        let ask = |at: usize, job: &mut Job| {
            self.questions.ask(universe, self.about[questions[at] as usize], job);
        };
        batch.answer(questions.len(), ask, take)
    }

    /// Finds the answers to these questions and keeps them; some thousands at a time, so that what is found
    /// does not pile up.
    fn enter_all(
        &mut self,
        universe: &Universe,
        questions: &[u32],
        threads: usize,
    ) -> Vec<Difference> {
        let parts = questions.chunks(PART);
        parts.flat_map(|part| self.enter_part(universe, part, threads)).collect()
    }

    fn enter_part(
        &mut self,
        universe: &Universe,
        questions: &[u32],
        threads: usize,
    ) -> Vec<Difference> {
        let forbidden = &self.forbidden;
        let take = |solver: &Solver<'_>, outcome: Outcome| {
            let (installed, out) = solver.trace();
            for package in out {
                forbidden[package as usize].store(true, Ordering::Relaxed);
            }
            found(installed, outcome)
        };
        let found = self.find(universe, (&self.base_job, threads), questions, take);
        let (mut edits, mut differences) = (Vec::new(), Vec::new());
        for (&number, mut found) in questions.iter().zip(found) {
            if !universe.is_present(self.about[number as usize]) {
                found = Found { verdict: Verdict::Gone, answer: Vec::new(), tried: Vec::new() };
            }
            differences.extend(self.enter(number, &found, &mut edits));
        }
        self.edit_packages(edits);
        differences
    }

    fn enter(
        &mut self,
        number: u32,
        found: &Found,
        edits: &mut Vec<(u32, u32, bool)>,
    ) -> Option<Difference> {
        let old: Vec<u32> = self.answers.get(number).collect();
        let old_tried: Vec<u32> = self.tried.get(number).collect();
        let before = std::mem::replace(&mut self.verdicts[number as usize], found.verdict);
        if old_tried != found.tried || old != found.answer {
            let union = |one: &[u32], other: &[u32]| {
                let mut union = [one, other].concat();
                union.sort_unstable();
                union
            };
            let (was, is) = (union(&old, &old_tried), union(&found.answer, &found.tried));
            edits.extend(only_in(&was, &is).map(|package| (package, number, false)));
            edits.extend(only_in(&is, &was).map(|package| (package, number, true)));
            self.tried.set(number, found.tried.iter().copied());
            self.answers.set(number, found.answer.iter().copied());
        }
        if before == found.verdict && old == found.answer {
            return None;
        }
        let ids = |from: &[u32], other: &[u32]| only_in(from, other).map(PackageId).collect();
        Some(Difference {
            about: self.about[number as usize],
            verdicts: (before, found.verdict),
            added: ids(&found.answer, &old),
            removed: ids(&old, &found.answer),
        })
    }

    fn edit_packages(&mut self, mut edits: Vec<(u32, u32, bool)>) {
        edits.sort_unstable();
        for group in edits.chunk_by(|left, right| left.0 == right.0) {
            let of_package: Vec<(u32, bool)> =
                group.iter().map(|&(_, number, is_added)| (number, is_added)).collect();
            self.by_package.edit(group[0].0, &of_package);
        }
        if edits.len() > self.by_package.len() {
            self.by_package.shrink();
            self.answers.shrink();
        }
    }
}

fn only_in<'a>(from: &'a [u32], other: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    from.iter().copied().filter(|id| other.binary_search(id).is_err())
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Solved(_) => Verdict::Solved,
        Outcome::Unsatisfiable(_) => Verdict::Unsatisfiable,
    }
}

fn found(installed: impl Iterator<Item = u32>, outcome: Outcome) -> Found {
    let verdict = verdict(&outcome);
    let answer: Vec<u32> = match outcome {
        Outcome::Solved(answer) => answer.packages.into_iter().map(|id| id.0).collect(),
        _ => Vec::new(),
    };
    let mut tried: Vec<u32> = installed.collect();
    tried.sort_unstable();
    tried.dedup();
    if verdict == Verdict::Solved {
        tried.retain(|id| answer.binary_search(id).is_err());
    }
    Found { verdict, answer, tried }
}
