//! What would be installed from repositories, and who needs what: the solver, asked about folders of metadata.
//!
//! Nothing here needs a store or a server.

pub mod batch;
pub mod depcheck;
pub mod info;
pub mod package;
pub(crate) mod providers;
pub mod requires;
pub mod resolve;
pub(crate) mod shelf;
pub(crate) mod wishes;

#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use solver::change::LiveUniverse;
use solver::load::repository::Repository;
use solver::load::{Limits, Source, filelists, load_primaries};
use solver::solve::Job;
use solver::tables::Tables;
use solver::universe::{Options, Universe};

use crate::admin::AdminError;
use crate::clock::Stopwatch;

/// What is loaded, and how.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Folders of repositories, those that come first being asked first where everything else is equal.
    pub repositories: Vec<PathBuf>,
    /// Folders of repositories of source packages.
    pub sources: Vec<PathBuf>,
    /// The machine's architecture, as rpm calls it.
    pub architecture: String,
    /// How many threads read.
    pub threads: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        let architecture = std::env::consts::ARCH.to_owned();
        Self { repositories: Vec::new(), sources: Vec::new(), architecture, threads: 2 }
    }
}

/// Repositories that are loaded.
#[derive(Debug)]
pub struct Loaded {
    /// What the solver runs on.
    pub(crate) universe: Universe,
    /// How long it took from opening the first file.
    pub took: Duration,
    wanted: Wanted,
}

/// Repositories that are loaded and can follow changes, real ones and hypotheses.
#[derive(Debug)]
pub struct Followed {
    pub(crate) live: LiveUniverse,
    wanted: Wanted,
}

impl Wanted {
    /// Reads the repositories, each of their files held against its checksum.
    ///
    /// # Errors
    /// [`AdminError::Input`] with the file and the line where one cannot be read.
    pub fn load(&self) -> Result<Loaded, AdminError> {
        let watch = Stopwatch::start();
        let options = Options { architecture: self.architecture.clone(), excluded: Vec::new() };
        let universe = Universe::new(self.tables()?, &options).map_err(AdminError::input)?;
        Ok(Loaded { universe, took: watch.elapsed(), wanted: self.clone() })
    }

    /// Reads them as far as nothing is decided yet.
    pub(crate) fn tables(&self) -> Result<Tables, AdminError> {
        self.tables_for(&[])
    }

    /// The same where somebody will ask for these: of all files, only those that somebody names are taken from the lists.
    pub(crate) fn tables_for(&self, wishes: &[String]) -> Result<Tables, AdminError> {
        let folders = || self.repositories.iter().chain(&self.sources);
        let opened: Vec<(&PathBuf, Repository)> = folders()
            .map(|folder| Ok((folder, Repository::open(folder).map_err(AdminError::input)?)))
            .collect::<Result<_, AdminError>>()?;
        let primaries = self.primaries(&opened)?;
        let names: Vec<String> = folders().map(|folder| folder.display().to_string()).collect();
        let documents: Vec<Source<'_>> = names
            .iter()
            .zip(&primaries)
            .map(|(name, bytes)| Source { name, bytes, priority: 0 })
            .collect();
        let limits = Limits::default();
        let mut tables =
            load_primaries(&documents, limits, self.threads).map_err(AdminError::input)?;
        for wish in wishes {
            wishes::dependency(&mut tables, wish);
        }
        for ((_, repository), name) in opened.iter().zip(&names) {
            let Some(bytes) = repository.filelists().map_err(AdminError::input)? else { continue };
            filelists::add_wanted_files(&mut tables, name, &bytes, limits)
                .map_err(AdminError::input)?;
        }
        Ok(tables)
    }

    /// The packages of each repository, unpacked side by side.
    fn primaries(&self, opened: &[(&PathBuf, Repository)]) -> Result<Vec<Vec<u8>>, AdminError> {
        let read = |(_, repository): &(&PathBuf, Repository)| {
            repository.primary().map_err(AdminError::input)
        };
        if self.threads < 2 {
            return opened.iter().map(read).collect();
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                opened.iter().map(|opened| scope.spawn(move || read(opened))).collect();
            let joined = threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect()
        })
    }
}

impl Loaded {
    /// Gets ready to follow changes.
    pub fn follow(self) -> Followed {
        Followed { live: LiveUniverse::new(self.universe), wanted: self.wanted }
    }

    /// The packages a build group names, one a line; those that nobody provides are passed over, as mock does.
    ///
    /// # Errors
    /// [`AdminError::Input`] where the file cannot be read or a line in it is no package.
    pub fn group(&self, file: Option<&Path>) -> Result<Job, AdminError> {
        let mut job = Job::new();
        let Some(file) = file else { return Ok(job) };
        for (number, name) in lines(file)?.iter().enumerate() {
            if self.universe.is_provided(name) {
                let place = |error| format!("{}, line {}: {error}", file.display(), number + 1);
                job.install(&self.universe, name)
                    .map_err(|error| AdminError::Input(place(error)))?;
            }
        }
        Ok(job)
    }
}

/// The lines of a file of names, those without a word left out.
///
/// # Errors
/// [`AdminError::Input`] where it cannot be read.
pub fn lines(file: &Path) -> Result<Vec<String>, AdminError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        AdminError::Input(format!("could not read {}: {error}", file.display()))
    })?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// The names of a file, to look them up.
pub(crate) fn names(file: &Path) -> Result<HashSet<String>, AdminError> {
    Ok(lines(file)?.into_iter().collect())
}
