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
        solve(&self.universe, always, &job)
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
        let mut tables = self.wanted.tables_for(wishes)?;
        let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
        lists[Relation::Requires as usize] =
            wishes.iter().map(|wish| dependency(&mut tables, wish)).collect();
        let name = tables.strings.intern(b"wishes");
        let architecture = tables.strings.intern(b"src");
        let identity = Package::new(name, architecture, EvrId::NONE, StringId::EMPTY);
        let source = tables.push(identity, &lists);
        let options =
            Options { architecture: self.wanted.architecture.clone(), excluded: Vec::new() };
        let universe = Universe::new(tables, &options).map_err(AdminError::input)?;
        let mut job = Job::new();
        job.build_requires(&universe, source);
        solve(&universe, always, &job)
    }
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

fn solve(universe: &Universe, always: &str, job: &Job) -> Result<Wished, AdminError> {
    let base = base(universe, always)?;
    let mut solver = Solver::new(universe, &base);
    let always: Vec<PackageId> = solver.base().collect();
    Ok(match solver.solve(job) {
        Outcome::Solved(answer) => {
            let tables = universe.tables();
            let mut nevras: Vec<String> =
                always.iter().chain(&answer.packages).map(|id| tables.nevra(*id)).collect();
            nevras.sort_unstable();
            nevras.dedup();
            Ok(nevras)
        }
        Outcome::Unsatisfiable(_) => Err(problems(universe, &base, job)),
    })
}

fn problems(universe: &Universe, base: &Job, job: &Job) -> Vec<String> {
    let sentences = impossible(universe, base, job).map(|proof| proof.sentences(universe));
    let unproved = || vec!["the requirements contradict each other".to_owned()];
    sentences.filter(|sentences| !sentences.is_empty()).unwrap_or_else(unproved)
}
