//! For each source or package whether it can be installed, with what proves it.
//!
//! Most are proved many at a time: whatever is in one consistent set of packages can be installed. Only what
//! fits into none is asked of the solver, one by one, and watched like any answer.

use super::world::{Growth, World};
use crate::batch::Batch;
use crate::change::{Effect, LiveUniverse};
use crate::reverse::{Questions, Verdict, Watch};
use crate::solve::{Job, Outcome, RequestError};
use crate::tables::PackageId;
use crate::universe::{Universe, flag};
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// How many members a further world must prove to be worth making.
const WORTH: usize = 24;

/// What is known of each package or source.
#[derive(Debug)]
pub(super) struct Proofs {
    pub(super) questions: Questions,
    about: Vec<PackageId>,
    worlds: Vec<World>,
    /// By package: one more than the number of the world that proves it; 0 where none does.
    proved_by: Vec<u16>,
    /// What fits into no world.
    hard: Watch,
}

impl Proofs {
    pub(super) fn new(
        live: &LiveUniverse,
        questions: Questions,
        about: Vec<PackageId>,
        threads: usize,
    ) -> Result<Self, RequestError> {
        let base = questions.base(live.universe())?;
        Ok(Self::on_base(live, (questions, base), about, threads))
    }

    /// The same where the base that the questions have is known already.
    pub(super) fn on_base(
        live: &LiveUniverse,
        (questions, base_job): (Questions, Job),
        about: Vec<PackageId>,
        threads: usize,
    ) -> Self {
        let universe = live.universe();
        let base = wants(&base_job);
        let threads = threads.max(1);
        let prove = |thread: usize| {
            let share = about.iter().map(|id| id.0).skip(thread).step_by(threads);
            let is_easy = |id: &u32| questions.is_easy(universe, *id);
            prove_together(universe, &base, share.filter(is_easy).collect())
        };
        let shares = std::thread::scope(|scope| {
            let prove = &prove;
            let others: Vec<_> = (1..threads).map(|at| scope.spawn(move || prove(at))).collect();
            let mut shares = vec![prove(0)];
            for other in others {
                match other.join() {
                    Ok(share) => shares.push(share),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            shares
        });
        let worlds: Vec<World> = shares.into_iter().flatten().collect();
        let mut proved_by = vec![0; universe.tables().len()];
        for &id in &about {
            proved_by[id.index()] = number_of(&worlds, id.0);
        }
        let hard = |id: &PackageId| proved_by[id.index()] == 0 && !universe.is_dead(*id);
        let hard = about.iter().copied().filter(hard).collect();
        let hard = Watch::on_base(live, (questions.clone(), base_job), hard, threads);
        Self { questions, about, worlds, proved_by, hard }
    }

    /// The packages or sources this is about, in the order they were given.
    pub(super) fn about(&self) -> &[PackageId] {
        &self.about
    }

    pub(super) fn verdict(&self, package: PackageId) -> Verdict {
        match self.proved_by.get(package.index()) {
            Some(0) | None => self.hard.verdict(package).unwrap_or(Verdict::Unsatisfiable),
            Some(_) => Verdict::Solved,
        }
    }

    /// What stops or begins to be possible by a change that was applied to the universe: package, before and
    /// now. `is_asked` tells which packages that were not there before count; those of them that can be
    /// installed are not told.
    pub(super) fn difference(
        &self,
        live: &LiveUniverse,
        effect: &Effect,
        is_asked: impl Fn(PackageId) -> bool,
    ) -> Vec<(PackageId, Verdict, Verdict)> {
        let (mut unproved, worlds) = self.shed(live, effect);
        let touched = effect.changed.iter().chain(&effect.flipped).copied();
        unproved.extend(touched.filter(|id| self.is_unknown(*id) && is_asked(*id)));
        let is_hard = |id: &PackageId| !self.questions.is_easy(live.universe(), id.0);
        // A world says nothing of a source that keeps others out of its buildroot.
        let followed = effect.followed.iter().copied();
        unproved.extend(followed.filter(|id| is_hard(id) && self.is_proved(*id)));
        unproved.sort_unstable();
        unproved.dedup();
        let (mut hard, easy): (Vec<_>, Vec<_>) = unproved.iter().copied().partition(is_hard);
        hard.extend(prove_again(live.universe(), worlds, easy));
        let solved: FxHashMap<PackageId, Verdict> = self.solve(live, hard).into_iter().collect();
        let mut differences = self.hard.preview(live, effect, 1);
        for package in unproved {
            let before = if self.is_there(package) { self.verdict(package) } else { Verdict::Gone };
            let now = solved.get(&package).copied().unwrap_or(Verdict::Solved);
            if before != now && (before, now) != (Verdict::Gone, Verdict::Solved) {
                differences.push((package, before, now));
            }
        }
        differences.sort_unstable_by_key(|(id, ..)| *id);
        differences
    }

    fn is_there(&self, package: PackageId) -> bool {
        self.about.binary_search(&package).is_ok()
    }

    /// Whether nothing proves a package, and it is not asked of the solver either.
    fn is_unknown(&self, package: PackageId) -> bool {
        !self.is_proved(package) && self.hard.verdict(package).is_none()
    }

    fn is_proved(&self, package: PackageId) -> bool {
        self.proved_by.get(package.index()).is_some_and(|by| *by != 0)
    }

    /// What lost its proof, and the worlds it was lost from as they are now.
    fn shed(&self, live: &LiveUniverse, effect: &Effect) -> (Vec<PackageId>, Vec<Cow<'_, World>>) {
        let mut touched: Vec<u32> =
            effect.followed.iter().chain(&effect.changed).map(|id| id.0).collect();
        touched.extend(effect.flipped.iter().map(|id| id.0));
        touched.extend(effect.conflicts.iter().flat_map(|(one, other)| [one.0, other.0]));
        touched.sort_unstable();
        touched.dedup();
        let base = self.questions.base(live.universe()).map(|job| wants(&job)).unwrap_or_default();
        let (mut unproved, mut worlds) = (Vec::new(), Vec::new());
        for (world, number) in self.worlds.iter().zip(1..) {
            if world.stands(live, &touched) && world.has_any_of(&base) {
                worlds.push(Cow::Borrowed(world));
                continue;
            }
            let mut now = world.clone();
            let lost = now.shed(live, &touched);
            let is_proved = |id: &u32| self.proved_by[*id as usize] == number;
            if now.has_any_of(&base) {
                unproved.extend(lost.into_iter().filter(is_proved).map(PackageId));
                worlds.push(Cow::Owned(now));
            } else {
                // Without the base it proves nothing.
                unproved.extend(self.about.iter().filter(|id| is_proved(&id.0)));
                worlds.extend(begin(live.universe(), &base).map(|growth| Cow::Owned(growth.world)));
            }
        }
        (unproved, worlds)
    }

    /// Asks the solver about each.
    fn solve(&self, live: &LiveUniverse, questions: Vec<PackageId>) -> Vec<(PackageId, Verdict)> {
        let universe = live.universe();
        let base = self.questions.base(universe).unwrap_or_default();
        let is_lost = |id: &PackageId| universe.is_dead(*id) || !live.is_present(*id);
        let (lost, open): (Vec<_>, Vec<_>) = questions.into_iter().partition(is_lost);
        let gone = |id: PackageId| match live.is_present(id) {
            true => (id, Verdict::Unsatisfiable),
            false => (id, Verdict::Gone),
        };
        let mut verdicts: Vec<(PackageId, Verdict)> = lost.into_iter().map(gone).collect();
        if !open.is_empty() {
            let batch = Batch { universe, base: &base, threads: 1, keeps_trace: false };
            let ask = |at: usize, job: &mut Job| self.questions.ask(universe, open[at], job);
            let found = batch.answer(open.len(), ask, |_, outcome| match outcome {
                Outcome::Solved(_) => Verdict::Solved,
                Outcome::Unsatisfiable(_) => Verdict::Unsatisfiable,
            });
            verdicts.extend(open.iter().copied().zip(found));
        }
        verdicts
    }
}

/// The candidates of each want of a base, those that are there.
fn wants(base: &Job) -> Vec<Vec<PackageId>> {
    base.any_wants().map(<[PackageId]>::to_vec).collect()
}

fn number_of(worlds: &[World], package: u32) -> u16 {
    let found = worlds.iter().zip(1..).find(|(world, _)| world.has(package));
    found.map_or(0, |(_, number)| number)
}

/// A world of no more than the base; none where that is not easily had.
fn begin<'u>(universe: &'u Universe, base: &[Vec<PackageId>]) -> Option<Growth<'u>> {
    let mut growth = Growth::new(universe, World::new(universe));
    base.iter().all(|wants| growth.add_any(wants)).then_some(growth)
}

/// Worlds that together have as many of the packages as can easily be had.
fn prove_together(universe: &Universe, base: &[Vec<PackageId>], mut open: Vec<u32>) -> Vec<World> {
    let mut worlds = Vec::new();
    while !open.is_empty() {
        let Some(mut growth) = begin(universe, base) else { return worlds };
        let before = open.len();
        open.retain(|&package| !growth.add(package));
        if before == open.len() {
            return worlds;
        }
        worlds.push(growth.world);
        if before - open.len() < WORTH {
            return worlds;
        }
    }
    worlds
}

/// Tries to take packages into worlds again; those that fit into none.
fn prove_again(
    universe: &Universe,
    worlds: Vec<Cow<'_, World>>,
    mut open: Vec<PackageId>,
) -> Vec<PackageId> {
    let is_there = |id: &PackageId| {
        universe.has(id.0, flag::INSTALLABLE | flag::SOURCE) && !universe.is_dead(*id)
    };
    let (mut easy, hopeless): (Vec<_>, Vec<_>) = open.drain(..).partition(is_there);
    for world in worlds {
        if easy.is_empty() {
            break;
        }
        easy.retain(|id| !world.has(id.0));
        let mut growth = Growth::new(universe, world.into_owned());
        easy.retain(|id| !growth.add(id.0));
    }
    easy.extend(hopeless);
    easy
}
