//! One package of a repository: what it needs, and what an update of it would reach.

use serde::Serialize;
use solver::tables::{PackageId, Relation};

use super::Followed;
use super::requires::{Reach, WhatRequires, named};

/// One package.
#[derive(Clone, Debug, Serialize)]
pub struct PackageView {
    /// Its NEVRA.
    pub package: String,
    /// What it requires, each with who provides it.
    pub needs: Vec<Need>,
    /// What it provides.
    pub provides: Vec<String>,
    /// Who needs it, directly and by way of others: whom an update of it may reach.
    pub reached: WhatRequires,
}

/// A requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Need {
    /// As it is written.
    pub requirement: String,
    /// The names of the packages that meet it, in the order they would be chosen. None for a rich one, which says more
    /// than who.
    pub met_by: Vec<String>,
}

impl Followed {
    /// The package of a name, the first there is; none if there is none.
    pub fn package(&self, name: &str) -> Option<PackageView> {
        let universe = self.live.universe();
        let tables = universe.tables();
        let id = *named(&self.live, name).first()?;
        let text = |relation: Relation| -> Vec<String> {
            tables.relations(id, relation).iter().map(|id| tables.dependency_text(*id)).collect()
        };
        Some(PackageView {
            package: tables.nevra(id),
            needs: self.needs(id),
            provides: text(Relation::Provides),
            reached: self.what_requires(name, Reach { recursive: true, strict: false }),
        })
    }

    fn needs(&self, package: PackageId) -> Vec<Need> {
        let universe = self.live.universe();
        let tables = universe.tables();
        let requires = tables.relations(package, Relation::Requires).iter();
        let need = |id: &solver::tables::DependencyId| {
            let mut met_by: Vec<String> = match universe.set_of(*id) {
                Some(set) => universe.members(set).map(|id| tables.name(id).to_owned()).collect(),
                None => Vec::new(),
            };
            met_by.dedup();
            Need { requirement: tables.dependency_text(*id), met_by }
        };
        requires.map(need).collect()
    }
}
