//! Which repositories are asked, and how they are read: from their metadata, or from a snapshot that was made of it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use solver::load::modules::{Choice, Documents, excluded_packages};
use solver::load::repository::Repository;
use solver::load::{Limits, Source, filelists, load_primaries};
use solver::snapshot::{self, Origin, SnapshotError};
use solver::tables::{PackageId, Repository as Named, Tables};
use solver::universe::{Options, Universe};

use super::{Loaded, question, remote};
use crate::admin::AdminError;
use crate::clock::Stopwatch;

/// The priority of a repository that is given none, as in dnf; the lower one wins.
const USUAL_PRIORITY: i32 = 99;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Repositories, from their metadata.
    Metadata(Metadata),
    /// What a snapshot in this file holds.
    Snapshot(PathBuf),
}

/// Metadata of repositories, and how it is read.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The repositories, those that come first being asked first where everything else is equal.
    pub repositories: Vec<Place>,
    /// Folders of repositories of source packages.
    pub sources: Vec<PathBuf>,
    /// The machine's architecture, as rpm calls it.
    pub architecture: String,
    /// How many threads read.
    pub threads: usize,
    /// What modules hide.
    pub modules: Modules,
}

/// Where a repository is, and how it stands to others: `FOLDER[,priority=N][,cost=N]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// As in dnf: the lower one wins, whatever the versions are; 99 where nothing is said.
    pub priority: i32,
    /// As in dnf: of packages that are equal otherwise that of the cheaper one is taken; 1000 where nothing is said.
    pub cost: u32,
}

/// What the modules of repositories do.
#[derive(Clone, Debug)]
pub enum Modules {
    /// They hide what does not belong to their default streams, or to these in their place.
    Filter(Vec<ModuleStream>),
    /// Nothing.
    Off,
}

/// A stream of a module: `NAME:STREAM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleStream {
    /// The module.
    pub module: String,
    /// Its stream.
    pub stream: String,
}

/// A repository that is open, with what reports call it.
struct Opened<'m> {
    name: String,
    place: &'m Place,
    repository: Repository,
}

impl Place {
    /// A folder of which nothing is said.
    pub fn of(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder, priority: USUAL_PRIORITY, cost: Named::USUAL_COST }
    }

    /// In the solver's terms, where the higher one wins.
    fn rank(&self) -> i32 {
        USUAL_PRIORITY.saturating_sub(self.priority)
    }
}

/// A rank of the solver in dnf's terms.
pub(super) fn priority_of(rank: i32) -> i32 {
    USUAL_PRIORITY.saturating_sub(rank)
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let (mut priority, mut cost) = (None, None);
        while let Some((before, (name, value))) =
            rest.rsplit_once(',').and_then(|(before, last)| Some((before, last.split_once('=')?)))
        {
            let wrong = || format!("`{value}` is no {name}: it is a number from 0 on");
            let number: u32 = match name {
                "priority" | "cost" => value.parse().map_err(|_| wrong())?,
                _ => return Err(format!("`{name}` is neither `priority` nor `cost`")),
            };
            match name {
                "cost" => cost = cost.or(Some(number)),
                _ => priority = priority.or(Some(i32::try_from(number).map_err(|_| wrong())?)),
            }
            rest = before;
        }
        if rest.is_empty() {
            return Err("it names no folder".to_owned());
        }
        let usual = Self::of(Path::new(rest));
        Ok(Self {
            priority: priority.unwrap_or(usual.priority),
            cost: cost.unwrap_or(usual.cost),
            ..usual
        })
    }
}

impl FromStr for ModuleStream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((module, stream)) if ![module, stream].iter().any(|part| part.is_empty()) => {
                Ok(Self { module: module.to_owned(), stream: stream.to_owned() })
            }
            _ => Err("it is not NAME:STREAM".to_owned()),
        }
    }
}

impl Wanted {
    /// Reads what is asked: every file of a repository held against its checksum, every section of a snapshot against
    /// its own.
    ///
    /// # Errors
    /// [`AdminError::Input`] with the file, and the line or section, where one cannot be read.
    pub fn load(&self) -> Result<Loaded, AdminError> {
        match self {
            Self::Metadata(metadata) => metadata.load(),
            Self::Snapshot(file) => open(file),
        }
    }

    /// Adds the files of these repositories to tables that were read from them: of all files those that the tables
    /// name by now.
    ///
    /// # Errors
    /// [`AdminError::Outside`] where a list cannot be read any more, [`AdminError::Input`] where there is none, as in a
    /// snapshot.
    pub(super) fn add_files(
        &self,
        tables: &mut Tables,
        paths: &[String],
    ) -> Result<(), AdminError> {
        match self {
            Self::Metadata(metadata) => {
                let places = metadata.places();
                open_all(&places)
                    .and_then(|opened| add_files(tables, &opened))
                    .map_err(AdminError::outside)
            }
            Self::Snapshot(file) => Err(AdminError::Input(format!(
                "{}: the snapshot does not say who has {}, since no package in it names that: ask the repositories \
                 themselves",
                file.display(),
                paths.join(" or ")
            ))),
        }
    }
}

impl Metadata {
    /// Repositories of which nothing is said but where they are, for this machine.
    pub fn of(repositories: Vec<Place>) -> Self {
        Self {
            repositories,
            sources: Vec::new(),
            architecture: std::env::consts::ARCH.to_owned(),
            threads: 2,
            modules: Modules::Filter(Vec::new()),
        }
    }

    fn load(&self) -> Result<Loaded, AdminError> {
        let watch = Stopwatch::start();
        let places = self.places();
        let opened = open_all(&places)?;
        let tables = self.tables(&opened, &[])?;
        let hidden = self.hidden(&opened, &tables)?;
        let options = Options {
            architecture: self.architecture.clone(),
            excluded: hidden.iter().map(|(id, _)| *id).collect(),
        };
        let universe = Universe::new(tables, &options).map_err(AdminError::input)?;
        let (origin, wanted) = (self.origin(&opened), Wanted::Metadata(self.clone()));
        Ok(Loaded { universe, took: watch.elapsed(), origin, hidden, wanted })
    }

    /// Reads packages as far as nothing is decided yet. Of their files those are taken that they name themselves, and
    /// these.
    pub(super) fn packages(&self, paths: &[&str]) -> Result<Tables, AdminError> {
        let places = self.places();
        self.tables(&open_all(&places)?, paths)
    }

    fn places(&self) -> Vec<Place> {
        let sources = self.sources.iter().map(|folder| Place::of(folder));
        self.repositories.iter().cloned().chain(sources).collect()
    }

    fn tables(&self, opened: &[Opened<'_>], paths: &[&str]) -> Result<Tables, AdminError> {
        let primaries = self.primaries(opened)?;
        let documents: Vec<Source<'_>> = opened
            .iter()
            .zip(&primaries)
            .map(|(opened, bytes)| Source {
                name: &opened.name,
                bytes,
                priority: opened.place.rank(),
            })
            .collect();
        let loaded = load_primaries(&documents, Limits::default(), self.threads);
        let mut tables = loaded.map_err(AdminError::input)?;
        for (number, opened) in opened.iter().enumerate() {
            tables.set_cost(number, opened.place.cost);
        }
        for path in paths {
            question::name(&mut tables, path);
        }
        add_files(&mut tables, opened)?;
        Ok(tables)
    }

    /// The packages of each repository, unpacked side by side.
    fn primaries(&self, opened: &[Opened<'_>]) -> Result<Vec<Vec<u8>>, AdminError> {
        let read = |opened: &Opened<'_>| opened.repository.primary().map_err(AdminError::input);
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

    /// The packages that modules hide, each with the reason. The modules of all repositories count together.
    fn hidden(
        &self,
        opened: &[Opened<'_>],
        tables: &Tables,
    ) -> Result<Vec<(PackageId, String)>, AdminError> {
        let Modules::Filter(wanted) = &self.modules else { return Ok(Vec::new()) };
        let mut all = Documents::default();
        for opened in opened {
            let found = opened.repository.modules().map_err(AdminError::input)?;
            let found = found.unwrap_or_default();
            all.streams.extend(found.streams);
            all.defaults.extend(found.defaults);
        }
        for ModuleStream { module, stream } in wanted {
            let is_it = |known: &&solver::load::modules::Stream| {
                known.name == *module && known.stream == *stream
            };
            if all.streams.iter().find(is_it).is_none() {
                return Err(AdminError::Input(format!(
                    "no repository has the module stream {module}:{stream}"
                )));
            }
        }
        if all.streams.is_empty() {
            return Ok(Vec::new());
        }
        let enabled = wanted.iter().map(|wanted| (wanted.module.clone(), wanted.stream.clone()));
        let enabled: Vec<(String, String)> = enabled.collect();
        let choice = Choice { enabled: &enabled, ..Choice::default() };
        let hidden = excluded_packages(tables, &all, &choice, &[]).into_iter();
        Ok(hidden.map(|(id, reason)| (id, reason.to_string())).collect())
    }

    /// What a snapshot says of where it comes from.
    fn origin(&self, opened: &[Opened<'_>]) -> Origin {
        let mut origin = Origin::new(&self.architecture);
        for Opened { name, place, repository } in opened {
            let standing = (place.rank(), place.cost);
            origin = origin.with_repository(name, standing, repository.checksum());
        }
        match &self.modules {
            Modules::Off => origin.with_fact("modules off"),
            Modules::Filter(streams) => streams.iter().fold(origin, |origin, wanted| {
                origin.with_fact(&format!("module {}:{}", wanted.module, wanted.stream))
            }),
        }
    }
}

impl Loaded {
    /// Writes everything into one file, from which it is opened at once. A file that is there is replaced as a whole.
    ///
    /// # Errors
    /// [`AdminError::Input`] where it cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), AdminError> {
        snapshot::save(file, &self.universe, &self.origin)
            .map_err(|error| AdminError::Input(format!("could not write {error}")))
    }
}

fn open(file: &Path) -> Result<Loaded, AdminError> {
    let watch = Stopwatch::start();
    let snapshot::Snapshot { universe, origin } = snapshot::open(file).map_err(|error| {
        let hint = match error.why {
            SnapshotError::File(_) => "",
            _ => ": `millstream repo load` writes one",
        };
        AdminError::Input(format!("could not open {error}{hint}"))
    })?;
    let wanted = Wanted::Snapshot(file.to_owned());
    Ok(Loaded { universe, took: watch.elapsed(), origin, hidden: Vec::new(), wanted })
}

fn open_all(places: &[Place]) -> Result<Vec<Opened<'_>>, AdminError> {
    let opened = places.iter().map(|place| {
        let repository = Repository::open(&place.folder).map_err(AdminError::input)?;
        Ok(Opened { name: remote::name(&place.folder), place, repository })
    });
    opened.collect()
}

fn add_files(tables: &mut Tables, opened: &[Opened<'_>]) -> Result<(), AdminError> {
    for Opened { name, repository, .. } in opened {
        let Some(bytes) = repository.filelists().map_err(AdminError::input)? else { continue };
        filelists::add_wanted_files(tables, name, &bytes, Limits::default())
            .map_err(AdminError::input)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_where_it_is_and_how_it_stands() {
        let read = |text: &str| text.parse::<Place>().map_err(|error| error.to_string());
        let place = |folder: &str, priority, cost| {
            Ok(Place { folder: PathBuf::from(folder), priority, cost })
        };
        assert_eq!(read("a/b"), place("a/b", 99, 1000));
        assert_eq!(read("a,b,cost=5,priority=10"), place("a,b", 10, 5));
        assert_eq!(read("a,size=5").unwrap_err(), "`size` is neither `priority` nor `cost`");
        assert!(read("a,cost=-1").unwrap_err().contains("no cost"));
        assert!(read("a,priority=4294967295").unwrap_err().contains("no priority"));
        assert!(read(",cost=1").is_err());
        assert!("perl:".parse::<ModuleStream>().is_err());
    }
}
