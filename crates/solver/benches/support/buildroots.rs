//! The buildroots of all sources, each with the build group.

use solver::batch::solve_all;
use solver::solve::{Job, Outcome, RequestError};
use solver::tables::PackageId;
use solver::universe::Universe;

/// The build group as the base of every question.
pub(crate) fn base(universe: &Universe, group: &[String]) -> Result<Job, RequestError> {
    let mut base = Job::new();
    for name in group {
        base.install(universe, name)?;
    }
    Ok(base)
}

pub(crate) fn all_sources(universe: &Universe, base: &Job, threads: usize) -> Vec<Outcome> {
    let sources: Vec<PackageId> = universe.sources().collect();
    solve_all(universe, base, sources.len(), threads, |at, job| {
        job.build_requires(universe, sources[at]);
    })
}
