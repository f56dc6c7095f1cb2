//! Times of loading and solving a whole distribution: `MILLSTREAM_REPODATA=FOLDER cargo bench -p solver`.
//!
//! Beside it libsolv is asked some of the same questions, where its headers are (Debian's `libsolv-dev` and
//! `libsolvext-dev`).

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and where its data is")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "support/best.rs"]
mod best;
#[path = "support/buildroots.rs"]
mod buildroots;
#[path = "support/libsolv.rs"]
mod libsolv;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/metadata.rs"]
mod metadata;

use best::{best, processor_time};
use buildroots::{all_sources, base};
use memory::memory;
use metadata::Documents;
use solver::load::{Limits, load_primaries};
use solver::snapshot::{self, Origin};
use solver::solve::{Job, Outcome, Solver};
use solver::universe::{Options, Universe};
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Says that only the memory is to be measured, with the snapshot that follows.
const MEMORY: &str = "--memory-of";

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = metadata::folder("distribution") else { return Ok(()) };
    let group = metadata::group(&folder)?;
    if let Some(snapshot) = std::env::args().skip_while(|word| word != MEMORY).nth(1) {
        return measure_memory(Path::new(&snapshot), &group);
    }
    let scratch = tempfile::tempdir()?;
    let snapshot = scratch.path().join("snapshot");
    measure_loading(&Documents::read(&folder)?, &snapshot)?;
    println!("snapshot to ready: {}", best(|| snapshot::open(&snapshot)));
    // In a process of its own, which has not read any XML before.
    let itself = std::env::current_exe()?;
    Command::new(itself).arg(&folder).arg(MEMORY).arg(&snapshot).status()?;
    let universe = snapshot::open(&snapshot)?.universe;
    measure_solving(&universe, &base(&universe, &group)?);
    libsolv::measure(&folder, scratch.path())
}

fn measure_loading(documents: &Documents, path: &Path) -> Result<(), Box<dyn Error>> {
    let sources = documents.sources();
    for threads in [1, 2] {
        let parse = best(|| load_primaries(&sources, Limits::default(), threads));
        println!("parse, {threads} threads: {parse}");
    }
    println!("XML to ready, 2 threads: {}", best(|| documents.universe().map(drop)));
    let tables = load_primaries(&sources, Limits::default(), 2)?;
    let universe = Universe::new(tables, &Options::default())?;
    let origin = Origin::new("x86_64");
    println!("writing a snapshot: {}", best(|| snapshot::save(path, &universe, &origin)));
    println!("size of the snapshot: {} kB", path.metadata()?.len() / 1024);
    Ok(())
}

fn measure_memory(snapshot: &Path, group: &[String]) -> Result<(), Box<dyn Error>> {
    let universe = snapshot::open(snapshot)?.universe;
    println!("memory when ready: {}", memory());
    let answers = all_sources(&universe, &base(&universe, group)?, 2);
    println!("memory with all {} answers kept: {}", answers.len(), memory());
    Ok(())
}

fn measure_solving(universe: &Universe, base: &Job) {
    for threads in [1, 2] {
        let all = best(|| all_sources(universe, base, threads));
        println!("all sources, {threads} threads: {all}");
    }
    let answers = all_sources(universe, base, 2);
    let solved = answers.iter().filter(|answer| matches!(answer, Outcome::Solved(_))).count();
    println!("solved {solved} of {}", answers.len());
    let mut solver = Solver::new(universe, base);
    let start = processor_time();
    let mut job = Job::new();
    for source in universe.sources() {
        job.clear();
        job.build_requires(universe, source);
        std::hint::black_box(solver.solve(&job));
    }
    let taken: Duration = processor_time().saturating_sub(start);
    println!("one source, as they come: mean {:.2?}", taken / answers.len() as u32);
}
