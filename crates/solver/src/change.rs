//! Packages that are added, removed or replaced, and a universe that follows without being built anew.
//!
//! A [`LiveUniverse`] takes a [`Change`] in place: only the dependencies whose candidates it touches are
//! resolved again, only those who state them are lowered again, and packages die or come back to life along
//! what hangs on them. What results answers every question as a universe built from the changed tables
//! would. Each application gives its inverse, so that a hypothesis is taken back as cheaply as it was made.
//!
//! Lists that grow move to the end of their array, which is compacted from time to time; sets nobody needs any
//! more stay until the universe is built anew.

mod effect;
mod index;
mod life;
mod links;
mod names;
mod provides;
mod slots;
mod statements;

pub use effect::Effect;
pub(crate) use effect::Rewired;
pub(crate) use index::Index;

use crate::rich;
use crate::tables::{
    Comparison, Dependency, DependencyId, Package, PackageId, Relation, StringId, Tables,
};
use crate::universe::{Universe, UniverseError};
use slots::Patch;

/// A package with its relations, ready to be put into the universe it was stated for.
#[derive(Debug, Clone, Copy)]
pub struct Stated(Package);

#[derive(Debug, Clone)]
enum Step {
    Withdraw(PackageId),
    Put(PackageId, Stated),
    Add { repository: String, priority: i32, stated: Stated },
}

/// Packages that are added, removed and replaced together.
#[derive(Debug, Clone, Default)]
pub struct Change {
    steps: Vec<Step>,
}

impl Change {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes a package or source. One that is not there stays so.
    pub fn remove(&mut self, package: PackageId) -> &mut Self {
        self.steps.push(Step::Withdraw(package));
        self
    }

    /// Puts another package in the place of one, as the next version of it; it keeps the number, and with it
    /// its place among others. A source is replaced by a source only.
    pub fn replace(&mut self, package: PackageId, by: Stated) -> &mut Self {
        self.steps.push(Step::Put(package, by));
        self
    }

    /// Adds a package to a repository of this name and priority, which need not exist yet. It takes the place
    /// of one that was removed from there, or comes behind all others.
    pub fn add(&mut self, repository: &str, priority: i32, package: Stated) -> &mut Self {
        let repository = repository.to_owned();
        self.steps.push(Step::Add { repository, priority, stated: package });
        self
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// What an application did.
#[derive(Debug)]
pub struct Applied {
    /// What was touched.
    pub effect: Effect,
    /// Applied next, this restores what was there before.
    pub inverse: Change,
}

/// A universe whose packages can change.
#[derive(Debug)]
pub struct LiveUniverse {
    universe: Universe,
    index: Index,
    /// Places of packages that were removed, the latest last.
    free: Vec<PackageId>,
}

impl LiveUniverse {
    /// Indexes a universe for changes; this takes some hundredths of a second for a distribution.
    #[must_use]
    pub fn new(mut universe: Universe) -> Self {
        let index = Index::new(&mut universe);
        Self { universe, index, free: Vec::new() }
    }

    /// The universe as it is now.
    #[must_use]
    pub fn universe(&self) -> &Universe {
        &self.universe
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Gives up following changes.
    #[must_use]
    pub fn into_universe(self) -> Universe {
        self.universe
    }

    /// Whether a package or source is there.
    #[must_use]
    pub fn is_present(&self, package: PackageId) -> bool {
        self.universe.is_present(package)
    }

    /// A package as it stands here, for instance to put it back.
    #[must_use]
    pub fn stated(&self, package: PackageId) -> Stated {
        Stated(*self.universe.tables.package(package))
    }

    /// Takes over a package from other tables, such as those of a side repository.
    ///
    /// # Errors
    /// Where it states a rich dependency that cannot be understood.
    pub fn state(&mut self, from: &Tables, package: PackageId) -> Result<Stated, UniverseError> {
        let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
        let tables = &mut self.universe.tables;
        for (relation, list) in Relation::ALL.into_iter().zip(&mut lists) {
            for &id in from.relations(package, relation) {
                let dependency = from.dependencies.get(id);
                let name = tables.strings.intern(from.strings.get(dependency.name));
                let evr = import_evr(tables, from, dependency);
                list.push(tables.dependencies.intern(Dependency { name, evr, ..dependency }));
            }
        }
        let old = from.package(package);
        let mut text = |id: StringId| tables.strings.intern(from.strings.get(id));
        let (name, architecture, source) =
            (text(old.name), text(old.architecture), text(old.source));
        let evr = from.evrs.get(old.evr);
        let (version, release) = (text(evr.version), text(evr.release));
        let evr = tables.evrs.intern(crate::tables::Evr { epoch: evr.epoch, version, release });
        let identity = Package::new(name, architecture, evr, source);
        self.state_as(identity, &lists)
    }

    /// The same for a package whose parts are in these tables already. Lists stand in the order of
    /// [`Relation::ALL`].
    ///
    /// # Errors
    /// Where it states a rich dependency that cannot be understood.
    pub fn state_as(
        &mut self,
        identity: Package,
        lists: &[Vec<DependencyId>; Relation::COUNT],
    ) -> Result<Stated, UniverseError> {
        let stated = Stated(self.universe.tables.keep(identity, lists));
        for relation in index::STATED {
            for &id in &lists[relation as usize] {
                self.understand(id, relation).map_err(|problem| UniverseError::Rich {
                    package: self.universe.tables.strings.text(identity.name).to_owned(),
                    dependency: self.universe.tables.dependency_text(id),
                    problem,
                })?;
            }
        }
        Ok(stated)
    }

    /// A rich dependency is understood before anything changes, so that applying a change cannot fail.
    fn understand(&mut self, id: DependencyId, relation: Relation) -> Result<(), rich::RichError> {
        let dependency = self.universe.tables.dependencies.get(id);
        if !dependency.is_rich() {
            return Ok(());
        }
        if !self.index.trees.contains_key(&id) {
            let text = self.universe.tables.strings.get(dependency.name).to_vec();
            let tree = rich::parse(&mut self.universe.tables, &text)?;
            self.index.enter_tree(id, tree);
        }
        let holds = relation != Relation::Conflicts;
        let Some(tree) = self.index.trees.get(&id) else { return Ok(()) };
        rich::lower(tree, holds, &mut |leaf| {
            self.universe.providers(self.universe.tables.dependencies.get(leaf))
        })?;
        Ok(())
    }

    /// A package as its next version would be: what it says in its own version, of itself and of those built
    /// with it, it says in the new one.
    pub fn rebuilt(&mut self, package: PackageId, version: &str) -> Stated {
        let tables = &mut self.universe.tables;
        let evr = tables.intern_evr_text(version.as_bytes());
        let old = *tables.package(package);
        let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
        for (relation, list) in Relation::ALL.into_iter().zip(&mut lists) {
            for id in tables.relations(package, relation).to_vec() {
                let dependency = tables.dependencies.get(id);
                let is_own =
                    dependency.evr == old.evr && dependency.comparison == Comparison::EQUAL;
                let new =
                    Dependency { evr: if is_own { evr } else { dependency.evr }, ..dependency };
                list.push(tables.dependencies.intern(new));
            }
        }
        let identity = Package::new(old.name, old.architecture, evr, old.source);
        Stated(tables.keep(identity, &lists))
    }

    /// Changes the universe in place.
    pub fn apply(&mut self, change: &Change) -> Applied {
        let mut patch = Patch::new(&mut self.universe, &mut self.index, &mut self.free);
        let inverse = patch.enter(change);
        patch.follow_provides();
        patch.follow_names();
        patch.follow_statements();
        patch.follow_life();
        patch.follow_links();
        Applied { effect: patch.finish(), inverse }
    }

    /// Bytes that following changes takes on top of the universe, about.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.index.byte_len()
    }
}

fn import_evr(tables: &mut Tables, from: &Tables, dependency: Dependency) -> crate::tables::EvrId {
    let evr = from.evrs.get(dependency.evr);
    let version = tables.strings.intern(from.strings.get(evr.version));
    let release = tables.strings.intern(from.strings.get(evr.release));
    tables.evrs.intern(crate::tables::Evr { epoch: evr.epoch, version, release })
}
