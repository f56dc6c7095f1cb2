//! What is in repositories: how many packages, names and relations.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use solver::tables::Relation;

use super::Loaded;

/// What repositories hold.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// Each repository, in the order they were named.
    pub repositories: Vec<RepositoryInfo>,
    /// Packages that can never be installed here: of another architecture left out.
    pub uninstallable: usize,
    /// How long loading took, in milliseconds.
    pub load_milliseconds: f64,
}

/// What one repository holds.
#[derive(Clone, Debug, Serialize)]
pub struct RepositoryInfo {
    /// Its folder.
    pub folder: String,
    /// Binary and source packages.
    pub packages: usize,
    /// Different names among them.
    pub names: usize,
    /// What they require, repetitions included.
    pub requires: usize,
    /// What they provide, paths that somebody asks for included.
    pub provides: usize,
}

impl Loaded {
    /// What was loaded.
    pub fn info(&self) -> Info {
        let tables = self.universe.tables();
        let repositories = tables.repositories().iter().map(|repository| {
            let ids =
                || tables.ids().filter(|id| repository.packages.contains(&(id.index() as u32)));
            let count = |relation| ids().map(|id| tables.relations(id, relation).len()).sum();
            RepositoryInfo {
                folder: repository.name.clone(),
                packages: ids().count(),
                names: ids().map(|id| tables.package(id).name).collect::<HashSet<_>>().len(),
                requires: count(Relation::Requires),
                provides: count(Relation::Provides),
            }
        });
        let dead = self.universe.installable().filter(|id| self.universe.is_dead(*id));
        Info {
            repositories: repositories.collect(),
            uninstallable: dead.count(),
            load_milliseconds: self.took.as_secs_f64() * 1e3,
        }
    }
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for repository in &self.repositories {
            let RepositoryInfo { folder, packages, names, requires, provides } = repository;
            writeln!(
                f,
                "{folder}: {packages} packages of {names} names, {requires} requires, {provides} provides"
            )?;
        }
        writeln!(f, "{} packages need what is nowhere", self.uninstallable)?;
        write!(f, "loaded in {:.0} ms", self.load_milliseconds)
    }
}
