//! Times of changes and of questions about a whole distribution: `MILLSTREAM_REPODATA=FOLDER cargo bench -p solver`.
//!
//! Times are by the clock.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and where its data is")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "support/memory.rs"]
mod memory;
#[path = "support/metadata.rs"]
mod metadata;

use memory::memory;
use metadata::Documents;
use solver::change::{Change, LiveUniverse};
use solver::questions::reverse_closure::Strength;
use solver::questions::{BuildGraph, Buildability, Installability, ReverseClosure};
use solver::reverse::{Questions, Watch};
use solver::tables::{DependencyId, PackageId, Relation, StringId};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

/// How many changes of each kind are made.
const CHANGES: usize = 1000;

/// What happens to all binary packages of a source.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A new version with the same relations.
    Rebuilt,
    /// A new version, of which each package has lost its first requirement.
    Loosened,
    /// They are removed.
    Removed,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = metadata::folder("questions") else { return Ok(()) };
    let universe = Documents::read(&folder)?.universe()?;
    println!("memory when ready: {}", memory());
    let group = metadata::group(&folder)?;
    let questions = Questions { group, with_build_conflicts: false };
    let mut live = timed("index for changes", || LiveUniverse::new(universe));
    println!("  {} kB", live.index_bytes() / 1024);
    let sources: Vec<PackageId> = live.universe().sources().collect();
    let ask = || Watch::new(&live, questions.clone(), sources.clone(), 2);
    let mut watch = timed("all answers, 2 threads", ask)?;
    println!("  {} kB; memory with all answers kept: {}", watch.byte_len() / 1024, memory());
    for threads in [1, 2] {
        timed(&format!("installability of all, {threads} threads"), || {
            Installability::new(&live, threads)
        });
    }
    let installability = Installability::new(&live, 2);
    let report = timed("its report", || installability.report(live.universe()));
    println!("  {} of {} cannot be installed", report.broken.len(), report.count);
    let build = || Buildability::new(&live, questions.clone(), 2);
    let buildability = timed("buildability of all, 2 threads", build)?;
    println!("  {} cannot be built", buildability.report(live.universe()).broken.len());
    reverse_closures(&live);
    let graph = timed("build graph", || BuildGraph::new(live.universe(), &watch, false));
    let cycles = graph.cycles().len();
    println!("  {cycles} cycles, {} tiers", graph.tier_sizes().len());
    let changes = changes(&live);
    for kind in [Kind::Rebuilt, Kind::Loosened, Kind::Removed] {
        follow(&mut live, &mut watch, &changes, kind);
        differences(&mut live, (&installability, &buildability), &changes, kind);
    }
    println!("memory at the end: {}", memory());
    Ok(())
}

/// The binary packages of random sources.
fn changes(live: &LiveUniverse) -> Vec<Vec<PackageId>> {
    let tables = live.universe().tables();
    let mut by_source: BTreeMap<StringId, Vec<PackageId>> = BTreeMap::new();
    for id in live.universe().installable() {
        by_source.entry(tables.package(id).source).or_default().push(id);
    }
    let all: Vec<Vec<PackageId>> = by_source.into_values().collect();
    let mut state = 12_345u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    (0..CHANGES).map(|_| all[random() % all.len()].clone()).collect()
}

fn change(live: &mut LiveUniverse, packages: &[PackageId], kind: Kind) -> Change {
    let mut change = Change::new();
    for &package in packages {
        let tables = live.universe().tables();
        let version = format!("{}+1", tables.evr_text(tables.package(package).evr));
        match kind {
            Kind::Removed => {
                change.remove(package);
            }
            Kind::Rebuilt => {
                let by = live.rebuilt(package, &version);
                change.replace(package, by);
            }
            Kind::Loosened => {
                let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
                for (relation, list) in Relation::ALL.into_iter().zip(&mut lists) {
                    let skipped = usize::from(relation == Relation::Requires);
                    list.extend(tables.relations(package, relation).iter().skip(skipped));
                }
                let identity = *tables.package(package);
                if let Ok(by) = live.state_as(identity, &lists) {
                    change.replace(package, by);
                }
            }
        }
    }
    change
}

/// A change, and all answers in step with it; then back.
fn follow(live: &mut LiveUniverse, watch: &mut Watch, changes: &[Vec<PackageId>], kind: Kind) {
    let (mut patched, mut followed, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for packages in changes {
        let change = change(live, packages, kind);
        let start = Instant::now();
        let applied = live.apply(&change);
        patched.push(start.elapsed());
        counts.push(watch.affected(live, &applied.effect).len());
        let start = Instant::now();
        watch.follow(live, &applied.effect, 2);
        followed.push(start.elapsed());
        let back = live.apply(&applied.inverse);
        watch.follow(live, &back.effect, 2);
    }
    counts.sort_unstable();
    let at = |percent: usize| counts[(counts.len() - 1) * percent / 100];
    println!("{kind:?}, universe patched: {}", Spread::of(patched));
    println!("{kind:?}, all answers followed: {}", Spread::of(followed));
    println!("  affected: p50 {}, p95 {}, p99 {}, max {}", at(50), at(95), at(99), at(100));
}

/// A hypothesis, what it breaks, and back.
fn differences(
    live: &mut LiveUniverse,
    (installability, buildability): (&Installability, &Buildability),
    changes: &[Vec<PackageId>],
    kind: Kind,
) {
    let (mut installs, mut builds) = (Vec::new(), Vec::new());
    for packages in changes {
        let change = change(live, packages, kind);
        let start = Instant::now();
        let applied = live.apply(&change);
        std::hint::black_box(installability.difference(live, &applied.effect));
        let asked = start.elapsed();
        let between = Instant::now();
        std::hint::black_box(buildability.difference(live, &applied.effect));
        builds.push(between.elapsed());
        let between = Instant::now();
        live.apply(&applied.inverse);
        installs.push(asked + between.elapsed());
    }
    println!("{kind:?}, difference of installability: {}", Spread::of(installs));
    println!("{kind:?}, difference of buildability: {}", Spread::of(builds));
}

fn reverse_closures(live: &LiveUniverse) {
    let tables = live.universe().tables();
    for name in ["libc6", "libpng16-16t64", "python3-numpy"] {
        let packages: Vec<PackageId> =
            live.universe().installable().filter(|id| tables.name(*id) == name).collect();
        for strength in [Strength::Any, Strength::Strict] {
            let closure = timed(&format!("who needs {name}, {strength:?}"), || {
                ReverseClosure::find(live, &packages, strength, usize::MAX)
            });
            println!("  {} packages and sources", closure.all().count());
        }
    }
}

/// How times spread.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |percent: usize| self.0[(self.0.len() - 1) * percent / 100];
        write!(
            out,
            "p50 {:.1?}, p90 {:.1?}, p95 {:.1?}, p99 {:.1?}, max {:.1?}",
            at(50),
            at(90),
            at(95),
            at(99),
            at(100)
        )
    }
}

/// Runs once and tells the time.
fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    println!("{what}: {:.2?}", start.elapsed());
    result
}
