//! What all questions share: the base, and how each is asked on top of it.

use super::Questions;
use crate::solve::{Job, RequestError};
use crate::tables::PackageId;
use crate::universe::{Universe, flag};

impl Questions {
    /// The base of all questions in the universe as it is.
    pub(crate) fn base(&self, universe: &Universe) -> Result<Job, RequestError> {
        let mut job = Job::new();
        for request in &self.group {
            let name = request.split_whitespace().next().unwrap_or_default();
            // As a package manager does with members of a group that nobody has.
            if universe.is_provided(name) {
                job.install(universe, request)?;
            }
        }
        Ok(job)
    }

    /// Whether a question is no more than what a package or source needs.
    pub(crate) fn is_easy(&self, universe: &Universe, about: u32) -> bool {
        let has_conflicts = || !universe.conflicts.get(about).is_empty();
        let is_source = universe.has(about, flag::SOURCE);
        !(is_source && self.with_build_conflicts && has_conflicts())
    }

    /// Asks for the buildroot of a source, or for a package.
    pub(crate) fn ask(&self, universe: &Universe, about: PackageId, job: &mut Job) {
        if universe.has(about.0, flag::SOURCE) {
            job.build_requires(universe, about);
            if self.with_build_conflicts {
                job.build_conflicts(universe, about);
            }
        } else if universe.has(about.0, flag::INSTALLABLE) {
            job.package(about);
        }
    }
}
