//! How the cost grows with the size of a distribution: `MILLSTREAM_REPODATA=FOLDER cargo bench -p solver --bench growth`.
//!
//! A quarter of a distribution is every fourth source with all its buildroot needs, and half is every second.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and where its data is")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "support/best.rs"]
mod best;
#[path = "support/buildroots.rs"]
mod buildroots;
#[path = "support/metadata.rs"]
mod metadata;

use best::best;
use buildroots::all_sources;
use memchr::memmem;
use metadata::Documents;
use solver::batch::solve_all;
use solver::change::LiveUniverse;
use solver::questions::Installability;
use solver::solve::{Outcome, Solver};
use solver::tables::PackageId;
use std::collections::HashSet;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = metadata::folder("growth") else { return Ok(()) };
    let whole = Documents::read(&folder)?;
    let group = metadata::group(&folder)?;
    for (name, every) in [("a quarter", 4), ("half", 2), ("whole", 1)] {
        let part = if every == 1 { None } else { Some(part(&whole, &group, every)?) };
        measure(name, part.as_ref().unwrap_or(&whole), &group)?;
    }
    Ok(())
}

fn measure(name: &str, documents: &Documents, group: &[String]) -> Result<(), Box<dyn Error>> {
    let universe = documents.universe()?;
    let base = buildroots::base(&universe, group)?;
    let counts = (universe.installable().count(), universe.sources().count());
    println!("{name}: {} packages, {} sources", counts.0, counts.1);
    println!("  XML to ready: {}", best(|| documents.universe().map(drop)));
    println!("  all sources: {}", best(|| all_sources(&universe, &base, 2)));
    let live = LiveUniverse::new(universe);
    println!("  installability of all: {}", best(|| Installability::new(&live, 2)));
    Ok(())
}

/// Every so manieth source, and the packages of all their buildroots.
fn part(whole: &Documents, group: &[String], every: usize) -> Result<Documents, Box<dyn Error>> {
    let universe = whole.universe()?;
    let base = buildroots::base(&universe, group)?;
    let name = |id: PackageId| universe.tables().name(id).as_bytes();
    let sources: Vec<PackageId> = universe.sources().step_by(every).collect();
    let answers = solve_all(&universe, &base, sources.len(), 2, |at, job| {
        job.build_requires(&universe, sources[at]);
    });
    let mut binaries: HashSet<&[u8]> = Solver::new(&universe, &base).base().map(name).collect();
    for answer in &answers {
        if let Outcome::Solved(answer) = answer {
            binaries.extend(answer.packages.iter().copied().map(name));
        }
    }
    let sources = sources.into_iter().map(name).collect();
    Ok(Documents { binary: keep(&whole.binary, &binaries), source: keep(&whole.source, &sources) })
}

/// The document with the packages of these names only.
fn keep(document: &[u8], names: &HashSet<&[u8]>) -> Vec<u8> {
    let mut starts: Vec<usize> = memmem::find_iter(document, b"<package ").collect();
    let end = memmem::rfind(document, b"</metadata>").unwrap_or(document.len());
    let mut kept = document[..starts.first().copied().unwrap_or(end)].to_vec();
    starts.push(end);
    for place in starts.windows(2) {
        let package = &document[place[0]..place[1]];
        let name = memmem::find(package, b"<name>").map(|at| &package[at + b"<name>".len()..]);
        let name = name.and_then(|rest| memchr::memchr(b'<', rest).map(|end| &rest[..end]));
        if name.is_some_and(|name| names.contains(name)) {
            kept.extend_from_slice(package);
        }
    }
    kept.extend_from_slice(&document[end..]);
    kept
}
