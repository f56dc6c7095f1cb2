//! What is in repositories: how many packages, names and relations.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use solver::tables::Relation;

use super::Loaded;
use super::wanted::{Place, Wanted, priority_of};

/// What repositories hold.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// Each repository, in the order they were named.
    pub repositories: Vec<RepositoryInfo>,
    /// What it was made from: architecture, checksums of repositories, chosen modules.
    pub made_from: Vec<String>,
    /// Packages that are hidden by modules, where that is known: a snapshot does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Packages that can never be installed here: of another architecture left out.
    pub uninstallable: usize,
    /// How long loading took, in milliseconds.
    pub load_milliseconds: f64,
}

/// What one repository holds.
#[derive(Clone, Debug, Serialize)]
pub struct RepositoryInfo {
    /// Its folder, or the address it was fetched from.
    pub folder: String,
    /// Binary and source packages.
    pub packages: usize,
    /// Different names among them.
    pub names: usize,
    /// What they require, repetitions included.
    pub requires: usize,
    /// What they provide, paths that somebody asks for included.
    pub provides: usize,
    /// Its priority as in dnf: the lower one wins.
    pub priority: i32,
    /// Its cost as in dnf: the lower one wins among equals.
    pub cost: u32,
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
                priority: priority_of(repository.priority),
                cost: repository.cost,
            }
        });
        let dead = self.universe.installable().filter(|id| self.universe.is_dead(*id));
        Info {
            repositories: repositories.collect(),
            hidden: matches!(self.wanted, Wanted::Metadata(_)).then_some(self.hidden.len()),
            made_from: self.origin.facts().map(str::to_owned).collect(),
            uninstallable: dead.count(),
            load_milliseconds: self.took.as_secs_f64() * 1e3,
        }
    }
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for repository in &self.repositories {
            let RepositoryInfo { folder, packages, names, requires, provides, .. } = repository;
            write!(
                f,
                "{folder}: {packages} packages of {names} names, {requires} requires, {provides} provides"
            )?;
            let usual = Place::of(Path::new(folder));
            if repository.priority != usual.priority {
                write!(f, ", priority {}", repository.priority)?;
            }
            if repository.cost != usual.cost {
                write!(f, ", cost {}", repository.cost)?;
            }
            writeln!(f)?;
        }
        if let Some(hidden) = self.hidden.filter(|hidden| *hidden > 0) {
            writeln!(f, "{hidden} packages are hidden by modules")?;
        }
        writeln!(f, "{} packages need what is nowhere", self.uninstallable)?;
        write!(f, "loaded in {:.0} ms", self.load_milliseconds)
    }
}
