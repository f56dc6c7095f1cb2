//! What is asked of repositories, in the words of whoever asks -> jobs of the solver.
//!
//! Packages and capabilities are looked up in the universe as it is. A rich dependency is understood, and a file that no
//! package names is looked up, where a package states it: then stand-ins are put beside the packages, and the universe is
//! made anew of both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use solver::explain::impossible;
use solver::rich;
use solver::solve::{Job, Outcome, Solver};
use solver::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, StringId, Tables,
};
use solver::universe::{Options, Universe, UniverseError};

use super::{Wanted, lines, name_of};
use crate::admin::AdminError;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What is installed first, and must be there.
    pub always: Vec<String>,
    /// What is installed first.
    pub group: BuildGroup,
    /// Packages, capabilities, paths, NEVRAs and rich dependencies, all of which must hold.
    pub wishes: Vec<String>,
    /// A source whose BuildRequires must hold, by name or NEVRA.
    pub source: Option<String>,
    /// How it is answered.
    pub preferences: Preferences,
}

/// Names that are in every buildroot. Those that nobody provides are passed over, as mock does.
#[derive(Clone, Debug, Default)]
pub struct BuildGroup {
    file: PathBuf,
    names: Vec<String>,
}

/// How a question is answered.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// Whether what is recommended is installed, too.
    pub weak: bool,
    /// Whether what is installed first is decided on its own, as mock does.
    pub two_phase: bool,
    /// Names of packages that are not there.
    pub exclude: Vec<String>,
    /// Names of packages that are taken before all others that would do.
    pub favour: Vec<String>,
    /// Packages that are the only ones allowed of their names, as NEVRAs.
    pub lock: Vec<String>,
}

/// A question, ready to be solved.
pub(super) struct Question<'u> {
    universe: Held<'u>,
    /// By the text of a rich dependency: who states it.
    stand_ins: HashMap<&'u str, PackageId>,
    preferences: Vec<PackageId>,
    weak: bool,
    /// What is asked to be installed first.
    pub(super) group: Job,
    /// What the question builds on: the group, or in two phases the packages that it comes to.
    pub(super) base: Job,
    /// What is asked on top of it.
    pub(super) job: Job,
}

enum Held<'u> {
    Known(&'u Universe),
    Anew(Box<Universe>),
}

impl BuildGroup {
    /// Reads a file of names, one a line; none is an empty group.
    ///
    /// # Errors
    /// [`AdminError::Input`] where it cannot be read.
    pub fn read(file: Option<&Path>) -> Result<Self, AdminError> {
        let Some(file) = file else { return Ok(Self::default()) };
        Ok(Self { file: file.to_owned(), names: lines(file)? })
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl<'u> Question<'u> {
    /// Understands what is asked of a universe that was loaded from what was wanted.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none, where a preference or a source names nothing, and where a path cannot
    /// be looked up.
    pub(super) fn new(
        universe: &'u Universe,
        wanted: &Wanted,
        asked: &'u Asked,
    ) -> Result<Self, AdminError> {
        let all = || asked.always.iter().chain(&asked.group.names).chain(&asked.wishes);
        let rich: Vec<&str> =
            all().map(String::as_str).filter(|text| text.starts_with('(')).collect();
        let paths = unknown(universe.tables(), all().map(String::as_str));
        let mut stand_ins = HashMap::new();
        let held = if rich.is_empty() && paths.is_empty() {
            Held::Known(universe)
        } else {
            let (universe, entered) = widened(universe, wanted, &paths, &rich)?;
            stand_ins = rich.into_iter().zip(entered).collect();
            Held::Anew(Box::new(universe))
        };
        let mut question = Self {
            universe: held,
            stand_ins,
            preferences: Vec::new(),
            weak: asked.preferences.weak,
            group: Job::new(),
            base: Job::new(),
            job: Job::new(),
        };
        question.enter_base(asked)?;
        question.enter_job(asked)?;
        Ok(question)
    }

    /// What it is asked of.
    pub(super) fn universe(&self) -> &Universe {
        match &self.universe {
            Held::Known(universe) => universe,
            Held::Anew(universe) => universe,
        }
    }

    /// Whether a package is none, but states a rich dependency.
    pub(super) fn is_stand_in(&self, package: PackageId) -> bool {
        self.stand_ins.values().any(|stand_in| *stand_in == package)
    }

    /// Lets a job be answered as the question is.
    pub(super) fn prefer(&self, job: &mut Job) {
        job.with_weak(self.weak);
        for package in &self.preferences {
            job.favour(*package, 1);
        }
    }

    /// Everything that is installed, sorted by NEVRA; or the sentences that say why nothing can be.
    pub(super) fn solve(&self) -> Result<Vec<PackageId>, Vec<String>> {
        let universe = self.universe();
        let mut solver = Solver::new(universe, &self.base);
        let mut installed: Vec<PackageId> = solver.base().collect();
        match solver.solve(&self.job) {
            Outcome::Solved(answer) => {
                installed.extend(answer.packages);
                installed.sort_by_cached_key(|id| universe.tables().nevra(*id));
                installed.dedup();
                Ok(installed)
            }
            Outcome::Unsatisfiable(_) => Err(problems(universe, &self.base, &self.job)),
        }
    }

    fn enter_base(&mut self, asked: &Asked) -> Result<(), AdminError> {
        let mut base = Job::new();
        let Preferences { two_phase, exclude, favour, lock, .. } = &asked.preferences;
        for name in exclude {
            for package in named(self.universe(), name)? {
                base.exclude(package);
            }
        }
        for nevra in lock {
            let package = of_nevra(self.universe(), nevra).ok_or_else(|| nothing(nevra))?;
            base.lock(self.universe(), package);
        }
        for name in favour {
            let packages = named(self.universe(), name)?;
            self.preferences.extend(packages);
        }
        self.prefer(&mut base);
        for wish in &asked.always {
            self.want(&mut base, wish).map_err(AdminError::Input)?;
        }
        let BuildGroup { file, names } = &asked.group;
        for wish in names {
            let name = wish.split_whitespace().next().unwrap_or_default();
            if self.universe().is_provided(name) || wish.starts_with('(') {
                let place = |error| AdminError::Input(format!("{}: {error}", file.display()));
                self.want(&mut base, wish).map_err(place)?;
            }
        }
        // A base that cannot be installed stays as it is, so that it is told why.
        let settled = two_phase.then(|| Solver::settled_base(self.universe(), &base));
        self.base = settled.and_then(Result::ok).unwrap_or_else(|| base.clone());
        self.group = base;
        Ok(())
    }

    fn enter_job(&mut self, asked: &Asked) -> Result<(), AdminError> {
        let mut job = Job::new();
        self.prefer(&mut job);
        for wish in &asked.wishes {
            self.want(&mut job, wish).map_err(AdminError::Input)?;
        }
        if let Some(name) = &asked.source {
            job.build_requires(self.universe(), self.source(name)?);
        }
        self.job = job;
        Ok(())
    }

    fn want(&self, job: &mut Job, wish: &str) -> Result<(), String> {
        let universe = self.universe();
        match (self.stand_ins.get(wish), of_nevra(universe, wish)) {
            (Some(stand_in), _) => _ = job.requirements(universe, *stand_in),
            (None, Some(package)) => _ = job.package(package),
            (None, None) => _ = job.install(universe, wish).map_err(|error| error.to_string())?,
        }
        Ok(())
    }

    /// The newest source of a name, or the one of a NEVRA.
    fn source(&self, name: &str) -> Result<PackageId, AdminError> {
        let universe = self.universe();
        let tables = universe.tables();
        let evr = |id: &PackageId| tables.package(*id).evr;
        let sources = universe.sources().filter(|id| !self.is_stand_in(*id));
        let meant = sources.filter(|id| tables.name(*id) == name || tables.nevra(*id) == name);
        let newest =
            meant.max_by(|left, right| tables.evrs.compare(&tables.strings, evr(left), evr(right)));
        newest.ok_or_else(|| AdminError::Input(format!("no source package is called {name}")))
    }
}

/// Why a job on top of a base has no answer, in sentences.
pub(super) fn problems(universe: &Universe, base: &Job, job: &Job) -> Vec<String> {
    let sentences = impossible(universe, base, job).map(|proof| proof.sentences(universe));
    let unproved = || vec!["what is asked for contradicts itself".to_owned()];
    sentences.filter(|sentences| !sentences.is_empty()).unwrap_or_else(unproved)
}

/// The paths among some texts of which tables do not say who has them.
pub(super) fn unknown<'t>(tables: &Tables, texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let words = texts.flat_map(|text| rich::words(text.as_bytes()));
    let paths = words.filter(|word| word.starts_with(b"/") && !is_named(tables, word));
    let mut paths: Vec<String> =
        paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Whether anybody names a path: of these files alone all are read.
fn is_named(tables: &Tables, path: &[u8]) -> bool {
    let Some(name) = tables.strings.find(path) else { return false };
    let dependency = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
    tables.dependencies.find(dependency).is_some()
}

/// The universe with the files of some paths, and with a source beside the packages for each rich dependency.
pub(super) fn widened(
    universe: &Universe,
    wanted: &Wanted,
    paths: &[String],
    rich: &[&str],
) -> Result<(Universe, Vec<PackageId>), AdminError> {
    let mut tables = universe.tables().clone();
    let excluded = tables.ids().filter(|id| !universe.is_present(*id)).collect();
    for path in paths {
        name(&mut tables, path);
    }
    let stand_ins = rich.iter().map(|text| stand_in(&mut tables, text));
    let stand_ins = stand_ins.collect::<Result<_, _>>()?;
    if !paths.is_empty() {
        wanted.add_files(&mut tables, paths)?;
    }
    let options = Options { architecture: universe.architecture().to_owned(), excluded };
    let universe = Universe::new(tables, &options).map_err(|error| match error {
        UniverseError::Rich { dependency, problem, .. } => {
            AdminError::Input(format!("`{dependency}`: {problem}"))
        }
    })?;
    Ok((universe, stand_ins))
}

/// Puts a source beside the packages that requires just this.
fn stand_in(tables: &mut Tables, text: &str) -> Result<PackageId, AdminError> {
    rich::parse(tables, text.as_bytes())
        .map_err(|error| AdminError::Input(format!("`{text}`: {error}")))?;
    let dependency = Dependency {
        name: tables.strings.intern(text.as_bytes()),
        comparison: Comparison::RICH,
        evr: EvrId::NONE,
    };
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    lists[Relation::Requires as usize].push(tables.dependencies.intern(dependency));
    let (name, architecture) = (tables.strings.intern(b"asked"), tables.strings.intern(b"src"));
    let identity = Package::new(name, architecture, EvrId::NONE, StringId::EMPTY);
    Ok(tables.push(identity, &lists))
}

/// Names a path in tables, so that whoever has it is read.
pub(super) fn name(tables: &mut Tables, path: &str) {
    let name = tables.strings.intern(path.as_bytes());
    tables.dependencies.intern(Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE });
}

/// The package of a NEVRA.
pub(super) fn of_nevra(universe: &Universe, text: &str) -> Option<PackageId> {
    let tables = universe.tables();
    let name = tables.strings.find(name_of(text)?.as_bytes())?;
    let mut named = tables.ids().filter(|id| tables.package(*id).name == name);
    named.find(|id| tables.nevra(*id) == text)
}

/// The packages of a name, of which there must be one.
fn named(universe: &Universe, name: &str) -> Result<Vec<PackageId>, AdminError> {
    let tables = universe.tables();
    let all = universe.installable().filter(|id| tables.name(*id) == name);
    let all: Vec<PackageId> = all.collect();
    if all.is_empty() { Err(nothing(name)) } else { Ok(all) }
}

pub(super) fn nothing(name: &str) -> AdminError {
    AdminError::Input(format!("no package is called {name}"))
}
