//! Times of loading and solving a whole distribution: `MILLSTREAM_REPODATA=FOLDER cargo bench -p solver`.
//!
//! The folder holds `sid-binary` and `sid-source`, each with `primary.xml.gz`, and `sid-build-group.txt`.
//! An argument in place of the variable does as well.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and where its data is")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use solver::batch::solve_all;
use solver::load::{Limits, Source, load_primaries};
use solver::snapshot::{self, Origin};
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Each measurement is repeated, and the best is told: what disturbs only adds.
const REPETITIONS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let Some(folder) = argument.or_else(|| std::env::var("MILLSTREAM_REPODATA").ok()) else {
        println!(
            "distribution: SKIPPED, MILLSTREAM_REPODATA does not say where the repositories are"
        );
        return Ok(());
    };
    let folder = PathBuf::from(folder);
    let binary = unpack(&folder.join("sid-binary/primary.xml.gz"))?;
    let source = unpack(&folder.join("sid-source/primary.xml.gz"))?;
    let sources = [
        Source { name: "binary", bytes: &binary, priority: 0 },
        Source { name: "source", bytes: &source, priority: 0 },
    ];
    for threads in [1, 2] {
        let parse = best(|| load_primaries(&sources, Limits::default(), threads));
        println!("parse, {threads} threads: {parse}");
    }
    let tables = load_primaries(&sources, Limits::default(), 2)?;
    let build = best(|| Universe::new(tables.clone(), &Options::default()));
    println!("universe, with a copy of the tables: {build}");
    println!("a copy of the tables: {}", best(|| tables.clone()));
    let universe = Universe::new(tables, &Options::default())?;
    drop((binary, source));
    let universe = measure_snapshot(universe)?;
    println!("memory when ready: {}", memory());
    let group = std::fs::read_to_string(folder.join("sid-build-group.txt"))?;
    let mut base = Job::new();
    for line in group.lines() {
        base.install(&universe, line)?;
    }
    measure_solving(&universe, &base);
    Ok(())
}

/// Writes a snapshot and goes on with what is read from it.
fn measure_snapshot(universe: Universe) -> Result<Universe, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("snapshot");
    let origin = Origin::new("x86_64");
    println!("writing a snapshot: {}", best(|| snapshot::save(&path, &universe, &origin)));
    println!("size of the snapshot: {} kB", path.metadata()?.len() / 1024);
    drop(universe);
    println!("snapshot to ready: {}", best(|| snapshot::open(&path)));
    Ok(snapshot::open(&path)?.universe)
}

fn measure_solving(universe: &Universe, base: &Job) {
    let sources: Vec<PackageId> = universe.sources().collect();
    let question = |at: usize, job: &mut Job| {
        job.build_requires(universe, sources[at]);
    };
    for threads in [1, 2] {
        let all = best(|| solve_all(universe, base, sources.len(), threads, question));
        println!("all {} sources, {threads} threads: {all}", sources.len());
    }
    let answers = solve_all(universe, base, sources.len(), 2, question);
    let solved = answers.iter().filter(|answer| matches!(answer, Outcome::Solved(_))).count();
    println!("solved {solved}, memory with all answers kept: {}", memory());
    let mut solver = Solver::new(universe, base);
    let mut times: Vec<Duration> = (0..sources.len())
        .map(|at| {
            let start = processor_time();
            let mut job = Job::new();
            question(at, &mut job);
            std::hint::black_box(solver.solve(&job));
            processor_time().saturating_sub(start)
        })
        .collect();
    times.sort_unstable();
    let mean = times.iter().sum::<Duration>() / times.len() as u32;
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "one source: mean {mean:.2?}, p50 {:.2?}, p95 {:.2?}, p99 {:.2?}, max {:.2?}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}

/// The best time by the clock, and the best by the calling thread's own processor time, which others on
/// the machine disturb less.
struct Best {
    clock: Duration,
    processor: Duration,
}

impl std::fmt::Display for Best {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:.1?} (this thread's processor time {:.1?})",
            self.clock, self.processor
        )
    }
}

fn best<T>(mut run: impl FnMut() -> T) -> Best {
    let mut best = Best { clock: Duration::MAX, processor: Duration::MAX };
    for _ in 0..REPETITIONS {
        let (start, used) = (Instant::now(), processor_time());
        let result = std::hint::black_box(run());
        best.clock = best.clock.min(start.elapsed());
        best.processor = best.processor.min(processor_time().saturating_sub(used));
        drop(result);
    }
    best
}

/// How long this thread has run, as Linux counts it; zero elsewhere.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
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
