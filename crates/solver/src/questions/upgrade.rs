//! The upgrade path: no name may have a lower version in what one upgrades to.

use crate::tables::{EvrId, PackageId, StringId, Tables};
use crate::universe::Universe;
use std::collections::BTreeMap;
use std::fmt;

/// A name and architecture whose best version would be a step back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepBack {
    /// The best package of those one comes from.
    pub from: PackageId,
    /// The best package of those one goes to.
    pub to: PackageId,
}

/// How two sets of repositories stand to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradePath {
    /// Names that have a lower version there.
    pub lower: Vec<StepBack>,
    /// The best packages of names that are not there, and that nothing there obsoletes.
    pub left_behind: Vec<PackageId>,
}

type Best = BTreeMap<(StringId, StringId), PackageId>;

impl UpgradePath {
    /// Compares the best version of each name and architecture in the repositories one comes from with that in
    /// those one goes to. Sources count too.
    #[must_use]
    pub fn find(universe: &Universe, from: &[&str], to: &[&str]) -> Self {
        let tables = universe.tables();
        let (old, new) = (best(universe, from), best(universe, to));
        let mut path = Self::default();
        for (key, &old) in &old {
            let is_lower = |new: &PackageId| evr_order(tables, *new, old).is_lt();
            match new.get(key) {
                Some(&to) if is_lower(&to) => path.lower.push(StepBack { from: old, to }),
                Some(_) => {}
                None if new.values().any(|new| obsoletes(universe, *new, old)) => {}
                None => path.left_behind.push(old),
            }
        }
        path
    }

    /// A line for each name that is in the way.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { path: self, universe }
    }
}

fn evr_order(tables: &Tables, left: PackageId, right: PackageId) -> std::cmp::Ordering {
    let evr = |id: PackageId| -> EvrId { tables.package(id).evr };
    tables.evrs.compare(&tables.strings, evr(left), evr(right))
}

fn best(universe: &Universe, repositories: &[&str]) -> Best {
    let tables = universe.tables();
    let mut best = Best::new();
    for id in tables.ids().filter(|id| universe.is_present(*id)) {
        let repository = tables.repository_of(id);
        if !repository.is_some_and(|known| repositories.contains(&known.name.as_str())) {
            continue;
        }
        let package = tables.package(id);
        let known = best.entry((package.name, package.architecture)).or_insert(id);
        if evr_order(tables, id, *known).is_gt() {
            *known = id;
        }
    }
    best
}

fn obsoletes(universe: &Universe, by: PackageId, old: PackageId) -> bool {
    universe.obsoletes.get(&by.0).is_some_and(|all| all.contains(&old.0))
}

struct Table<'a> {
    path: &'a UpgradePath,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nevra = |id: PackageId| self.universe.tables().nevra(id);
        for step in &self.path.lower {
            writeln!(out, "{} would become {}", nevra(step.from), nevra(step.to))?;
        }
        for &id in &self.path.left_behind {
            writeln!(out, "{} would be left behind", nevra(id))?;
        }
        Ok(())
    }
}
