//! What is said of whole repositories is what the solver says of each package.

use crate::random::{Random, change, tables};
use solver::change::LiveUniverse;
use solver::questions::{Buildability, Installability};
use solver::reverse::{Questions, Verdict, Watch};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};

fn asked_one_by_one(live: &LiveUniverse, questions: &Questions, about: &[PackageId]) -> Watch {
    Watch::new(live, questions.clone(), about.to_vec(), 1).unwrap()
}

/// The packages whose verdict was the one and is the other now.
fn turned(
    watch: &Watch,
    before: &[(PackageId, Option<Verdict>)],
    from: Verdict,
    to: Verdict,
) -> Vec<PackageId> {
    let were = before.iter().filter(|(_, verdict)| *verdict == Some(from)).map(|(id, _)| *id);
    were.filter(|id| watch.verdict(*id) == Some(to)).collect()
}

/// Verdicts by package, and those that differ after a change.
fn check(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut random = Random::new(seed);
        let universe = Universe::new(tables(&mut random), &Options::default()).unwrap();
        let packages: Vec<PackageId> = universe.installable().collect();
        let sources: Vec<PackageId> = universe.sources().collect();
        let mut live = LiveUniverse::new(universe);
        let group = ["p0", "p3"].map(str::to_owned);
        let group = group.into_iter().take(random.below(3)).collect();
        let builds = Questions { group, with_build_conflicts: random.one_in(2) };
        let installs = Questions::default();
        let threads = 1 + random.below(2);
        let installability = Installability::new(&live, threads);
        let buildability = Buildability::new(&live, builds.clone(), threads).unwrap();
        let mut watched = [
            asked_one_by_one(&live, &installs, &packages),
            asked_one_by_one(&live, &builds, &sources),
        ];
        for &id in &packages {
            assert_eq!(
                Some(installability.verdict(id)),
                watched[0].verdict(id),
                "seed {seed}, {id:?}"
            );
        }
        for &id in &sources {
            assert_eq!(
                Some(buildability.verdict(id)),
                watched[1].verdict(id),
                "seed {seed}, {id:?}"
            );
        }
        for round in 0..4 {
            let change = change(&mut live, &mut random);
            let applied = live.apply(&change);
            let differences = [
                installability.difference(&live, &applied.effect),
                buildability.difference(&live, &applied.effect),
            ];
            for ((difference, watch), about) in
                differences.iter().zip(&mut watched).zip([&packages, &sources])
            {
                let before: Vec<_> = about.iter().map(|id| (*id, watch.verdict(*id))).collect();
                watch.follow(&live, &applied.effect, 1);
                let broken = turned(watch, &before, Verdict::Solved, Verdict::Unsatisfiable);
                let mended = turned(watch, &before, Verdict::Unsatisfiable, Verdict::Solved);
                let told: Vec<PackageId> = difference.broken.iter().map(|(id, _)| *id).collect();
                let told: Vec<PackageId> =
                    told.into_iter().filter(|id| about.contains(id)).collect();
                assert_eq!(told, broken, "seed {seed}, round {round}: {change:?}");
                assert_eq!(difference.mended, mended, "seed {seed}, round {round}: {change:?}");
                assert!(!difference.display(live.universe()).to_string().contains("is not there"));
            }
            // The hypothesis is taken back, also for those who watch.
            let applied = live.apply(&applied.inverse);
            for watch in &mut watched {
                watch.follow(&live, &applied.effect, 1);
            }
        }
    }
}

#[test]
fn says_what_the_solver_says() {
    check(0..80);
}
