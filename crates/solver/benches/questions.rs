//! Times of changes and of questions about a whole distribution: `MILLSTREAM_REPODATA=FOLDER cargo bench -p solver`.
//!
//! The folder holds `sid-binary` and `sid-source`, each with `primary.xml.gz`, and `sid-build-group.txt`.
//! An argument in place of the variable does as well. Times are by the clock.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and where its data is")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use solver::change::{Change, LiveUniverse};
use solver::load::{Limits, Source, load_primaries};
use solver::questions::reverse_closure::Strength;
use solver::questions::{BuildGraph, Buildability, Installability, ReverseClosure};
use solver::reverse::{Questions, Watch};
use solver::tables::{DependencyId, PackageId, Relation, StringId};
use solver::universe::{Options, Universe};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
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
    let argument = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let Some(folder) = argument.or_else(|| std::env::var("MILLSTREAM_REPODATA").ok()) else {
        println!("questions: SKIPPED, MILLSTREAM_REPODATA does not say where the repositories are");
        return Ok(());
    };
    let folder = PathBuf::from(folder);
    let universe = load(&folder)?;
    println!("memory when ready: {}", memory());
    let group = std::fs::read_to_string(folder.join("sid-build-group.txt"))?;
    let group = group.lines().map(str::to_owned).collect();
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
        watch.follow(live, &applied.effect, 1);
        followed.push(start.elapsed());
        let back = live.apply(&applied.inverse);
        watch.follow(live, &back.effect, 1);
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

fn load(folder: &Path) -> Result<Universe, Box<dyn Error>> {
    let binary = unpack(&folder.join("sid-binary/primary.xml.gz"))?;
    let source = unpack(&folder.join("sid-source/primary.xml.gz"))?;
    let sources = [
        Source { name: "binary", bytes: &binary, priority: 0 },
        Source { name: "source", bytes: &source, priority: 0 },
    ];
    let tables = load_primaries(&sources, Limits::default(), 2)?;
    Ok(Universe::new(tables, &Options::default())?)
}

fn unpack(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let packed = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// The resident memory now, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
