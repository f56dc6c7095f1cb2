//! Repositories of overlays that stages ask, kept ready.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use solver::solve::{Job, Outcome, Solver};

use super::question::problems;
use super::wanted::{Metadata, Place, Wanted};
use super::{Loaded, threaded};
use crate::admin::AdminError;

/// How many repositories are kept ready.
const KEPT: usize = 4;

/// Repositories that were asked lately. Their folders are addressed by content, so that what was read stays true.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<Vec<(PathBuf, Arc<Loaded>)>>);

impl Ready {
    /// The repository in a folder.
    ///
    /// # Errors
    /// [`AdminError::Input`] when it cannot be read.
    pub(crate) async fn repository(&self, folder: &Path) -> Result<Arc<Loaded>, AdminError> {
        {
            let mut ready = self.known();
            if let Some(at) = ready.iter().position(|(known, _)| known == folder) {
                let known = ready.remove(at);
                let loaded = Arc::clone(&known.1);
                ready.push(known);
                return Ok(loaded);
            }
        }
        let metadata = Metadata { threads: 1, ..Metadata::of(vec![Place::of(folder)]) };
        let loaded = Arc::new(threaded(move || Wanted::Metadata(metadata).load()).await?);
        let mut ready = self.known();
        ready.push((folder.to_owned(), Arc::clone(&loaded)));
        if ready.len() > KEPT {
            ready.remove(0);
        }
        Ok(loaded)
    }

    fn known(&self) -> MutexGuard<'_, Vec<(PathBuf, Arc<Loaded>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    /// Every package that cannot be installed beside the one that is always there, by name, with the reasons.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the name of that package is none.
    pub(crate) fn broken(&self, always: &str) -> Result<Vec<(String, Vec<String>)>, AdminError> {
        let universe = &self.universe;
        let mut base = Job::new();
        base.install(universe, always).map_err(AdminError::input)?;
        let mut solver = Solver::new(universe, &base);
        let mut broken = Vec::new();
        // One that is part of an answer can be installed.
        let mut works = vec![false; universe.tables().len()];
        for package in universe.installable() {
            if works[package.index()] {
                continue;
            }
            let mut job = Job::new();
            job.package(package);
            match solver.solve(&job) {
                Outcome::Solved(answer) => {
                    answer.packages.iter().for_each(|found| works[found.index()] = true);
                }
                Outcome::Unsatisfiable(_) => {
                    let name = universe.tables().name(package).to_owned();
                    broken.push((name, problems(universe, &base, &job)));
                }
            }
        }
        Ok(broken)
    }
}
