//! A patched universe answers every question as one built anew.

use crate::random::{Random, built_anew, change, tables};
use solver::change::LiveUniverse;
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};

/// The answers to all questions there are about a universe, each by libsolv's choices and by the exact search;
/// what could not be is told without its reason.
pub(crate) fn answers(universe: &Universe) -> Vec<(PackageId, Option<Vec<PackageId>>)> {
    let mut base = Job::new();
    base.install(universe, "p0").unwrap();
    let bases = [Job::new(), base];
    let mut answers = Vec::new();
    for base in &bases {
        let mut solver = Solver::new(universe, base);
        let installed: Vec<PackageId> = solver.base().collect();
        for id in universe.installable().chain(universe.sources()) {
            let mut job = Job::new();
            if universe.sources().any(|source| source == id) {
                job.build_requires(universe, id).build_conflicts(universe, id);
            } else {
                job.package(id);
            }
            let both = [solver.solve(&job), solver.search(&job)].map(|outcome| match outcome {
                Outcome::Solved(answer) => {
                    let mut all: Vec<PackageId> = answer.packages;
                    all.extend(&installed);
                    all.sort_unstable();
                    Some(all)
                }
                Outcome::Unsatisfiable(_) => None,
            });
            assert_eq!(both[0].is_some(), both[1].is_some(), "{id:?}: {both:?}");
            answers.extend(both.map(|answer| (id, answer)));
        }
    }
    answers
}

/// Changes universes of many seeds some times over, and takes each change back and makes it again.
fn check(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut random = Random::new(seed);
        let universe = Universe::new(tables(&mut random), &Options::default()).unwrap();
        let mut live = LiveUniverse::new(universe);
        for round in 0..5 {
            let place = format!("seed {seed}, round {round}");
            let before = answers(live.universe());
            let change = change(&mut live, &mut random);
            let applied = live.apply(&change);
            let after = answers(live.universe());
            assert_eq!(after, answers(&built_anew(&live)), "{place}: {change:?}");
            let again = live.apply(&applied.inverse);
            assert_eq!(answers(live.universe()), before, "{place}, taken back: {change:?}");
            live.apply(&again.inverse);
            assert_eq!(answers(live.universe()), after, "{place}, made again: {change:?}");
        }
    }
}

#[test]
fn answers_as_built_anew() {
    check(0..100);
}
