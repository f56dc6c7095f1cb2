//! What a stage asks of an overlay: packages, capabilities and whole conditions that must hold together.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use solver::explain::impossible;
use solver::solve::{Job, Outcome, Solver};
use solver::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, StringId, Tables,
};
use solver::universe::{Options, Universe};

use super::{Loaded, Wanted};
use crate::admin::AdminError;

/// How many repositories are kept ready.
const KEPT: usize = 4;

/// Repositories that were asked lately. Their folders are addressed by content, so that what was read stays true.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<Vec<Arc<Loaded>>>);

impl Ready {
    /// The repository in a folder.
    ///
    /// # Errors
    /// [`AdminError::Input`] when it cannot be read.
    pub(crate) async fn repository(&self, folder: &Path) -> Result<Arc<Loaded>, AdminError> {
        let is_in = |known: &Arc<Loaded>| known.wanted.repositories == [folder];
        {
            let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = ready.iter().position(is_in) {
                let known = ready.remove(at);
                ready.push(Arc::clone(&known));
                return Ok(known);
            }
        }
        let wanted =
            Wanted { repositories: vec![folder.to_owned()], threads: 1, ..Wanted::default() };
        let loaded = tokio::task::spawn_blocking(move || wanted.load());
        let loaded = Arc::new(loaded.await.map_err(AdminError::outside)??);
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ready.push(Arc::clone(&loaded));
        if ready.len() > KEPT {
            ready.remove(0);
        }
        Ok(loaded)
    }
}

/// NEVRAs, or the sentences that say why there are none.
pub(crate) type Wished = Result<Vec<String>, Vec<String>>;

/// A package that is in no repository yet.
#[derive(Clone, Debug)]
pub(crate) struct Unbuilt {
    /// Its name.
    pub(crate) name: String,
    /// Its version, as it is written.
    pub(crate) evr: String,
    /// What it provides beside its name.
    pub(crate) provides: Vec<String>,
}

/// What is installed where packages count that are in no repository.
#[derive(Debug)]
pub(crate) struct WishedWith {
    /// All of it.
    pub(crate) nevras: Vec<String>,
    /// Which of those packages are in it, by position.
    pub(crate) unbuilt: Vec<usize>,
}

impl Loaded {
    /// What has to be installed so that all wishes hold, beside the package that is always there. A wish is a name, a
    /// capability, a path, a NEVRA, or a rich dependency.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none of these.
    pub(crate) fn wish(&self, always: &str, wishes: &[String]) -> Result<Wished, AdminError> {
        if wishes.iter().any(|wish| wish.starts_with(['(', '/'])) {
            return self.wish_as_a_source(always, wishes);
        }
        let mut job = Job::new();
        for wish in wishes {
            match self.of_nevra(wish) {
                Some(package) => _ = job.package(package),
                None => _ = job.install(&self.universe, wish).map_err(AdminError::input)?,
            }
        }
        Ok(solve(&self.universe, always, &job)?.map(|packages| nevras(&self.universe, &packages)))
    }

    /// Every package that cannot be installed beside the one that is always there, by name, with the reasons.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the name of that package is none.
    pub(crate) fn broken(&self, always: &str) -> Result<Vec<(String, Vec<String>)>, AdminError> {
        let universe = &self.universe;
        let base = base(universe, always)?;
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

    /// The package of a NEVRA.
    fn of_nevra(&self, text: &str) -> Option<PackageId> {
        let tables = self.universe.tables();
        let name = text.rsplitn(3, '-').nth(2)?;
        let name = tables.strings.find(name.as_bytes())?;
        let mut named = tables.ids().filter(|id| tables.package(*id).name == name);
        named.find(|id| tables.nevra(*id) == text)
    }

    /// Conditions are understood, and files looked up, where a package states them; so the wishes become those of a source
    /// package.
    fn wish_as_a_source(&self, always: &str, wishes: &[String]) -> Result<Wished, AdminError> {
        Ok(self.wanted.wish_with(always, wishes, &[])?.map(|found| found.nevras))
    }

    /// What was loaded.
    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

impl Wanted {
    /// What a source package with these wishes needs to be built, beside the package that is always there, where some
    /// packages count that are in no repository.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a repository cannot be read or a wish is none.
    pub(crate) fn wish_with(
        &self,
        always: &str,
        wishes: &[String],
        unbuilt: &[Unbuilt],
    ) -> Result<Result<WishedWith, Vec<String>>, AdminError> {
        let mut tables = self.tables_for(wishes)?;
        let unbuilt: Vec<PackageId> =
            unbuilt.iter().map(|package| package.enter(&mut tables)).collect();
        let source = enter(&mut tables, ("wishes", "src", ""), (Relation::Requires, wishes));
        let options = Options { architecture: self.architecture.clone(), excluded: Vec::new() };
        let universe = Universe::new(tables, &options).map_err(AdminError::input)?;
        let mut job = Job::new();
        job.build_requires(&universe, source);
        Ok(solve(&universe, always, &job)?.map(|packages| WishedWith {
            nevras: nevras(&universe, &packages),
            unbuilt: (0..unbuilt.len()).filter(|at| packages.contains(&unbuilt[*at])).collect(),
        }))
    }
}

impl Unbuilt {
    fn enter(&self, tables: &mut Tables) -> PackageId {
        let identity = (self.name.as_str(), "noarch", self.evr.as_str());
        let own = [self.name.clone(), format!("{} = {}", self.name, self.evr)];
        let provides: Vec<String> = own.into_iter().chain(self.provides.clone()).collect();
        enter(tables, identity, (Relation::Provides, &provides))
    }
}

/// Adds a package of a name, an architecture and a version, with relations of one kind.
fn enter(
    tables: &mut Tables,
    (name, architecture, evr): (&str, &str, &str),
    (relation, dependencies): (Relation, &[String]),
) -> PackageId {
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    lists[relation as usize] = dependencies.iter().map(|text| dependency(tables, text)).collect();
    let name = tables.strings.intern(name.as_bytes());
    let architecture = tables.strings.intern(architecture.as_bytes());
    let evr = if evr.is_empty() { EvrId::NONE } else { tables.intern_evr_text(evr.as_bytes()) };
    tables.push(Package::new(name, architecture, evr, StringId::EMPTY), &lists)
}

/// `name`, `name >= version`, or a rich dependency.
pub(super) fn dependency(tables: &mut Tables, text: &str) -> DependencyId {
    let words: Vec<&str> = text.split_whitespace().collect();
    let compared = match words[..] {
        [name, symbol, version] if !text.starts_with('(') => {
            Comparison::from_symbol(symbol.as_bytes()).map(|sign| (name, sign, version))
        }
        _ => None,
    };
    let dependency = match compared {
        Some((name, comparison, version)) => Dependency {
            name: tables.strings.intern(name.as_bytes()),
            comparison,
            evr: tables.intern_evr_text(version.as_bytes()),
        },
        None => Dependency {
            name: tables.strings.intern(text.as_bytes()),
            comparison: if text.starts_with('(') { Comparison::RICH } else { Comparison::ANY },
            evr: EvrId::NONE,
        },
    };
    tables.dependencies.intern(dependency)
}

fn base(universe: &Universe, always: &str) -> Result<Job, AdminError> {
    let mut base = Job::new();
    base.install(universe, always).map_err(AdminError::input)?;
    Ok(base)
}

type Solved = Result<Vec<PackageId>, Vec<String>>;

fn solve(universe: &Universe, always: &str, job: &Job) -> Result<Solved, AdminError> {
    let base = base(universe, always)?;
    let mut solver = Solver::new(universe, &base);
    let always: Vec<PackageId> = solver.base().collect();
    Ok(match solver.solve(job) {
        Outcome::Solved(answer) => Ok([always, answer.packages].concat()),
        Outcome::Unsatisfiable(_) => Err(problems(universe, &base, job)),
    })
}

fn nevras(universe: &Universe, packages: &[PackageId]) -> Vec<String> {
    let mut nevras: Vec<String> = packages.iter().map(|id| universe.tables().nevra(*id)).collect();
    nevras.sort_unstable();
    nevras.dedup();
    nevras
}

fn problems(universe: &Universe, base: &Job, job: &Job) -> Vec<String> {
    let sentences = impossible(universe, base, job).map(|proof| proof.sentences(universe));
    let unproved = || vec!["the requirements contradict each other".to_owned()];
    sentences.filter(|sentences| !sentences.is_empty()).unwrap_or_else(unproved)
}
