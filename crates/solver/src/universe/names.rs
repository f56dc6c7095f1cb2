//! What follows from names, versions and architectures alone: who collides, obsoletes, outdates.

use super::architecture::Class;
use super::flag;
use super::sets::{SetId, Sets};
use crate::tables::{Comparison, Dependency, Lists, PackageId, Relation, Tables};
use rustc_hash::FxHashMap;

/// What follows from names, versions and architectures alone.
pub(super) struct Names<'a> {
    pub(super) tables: &'a Tables,
    pub(super) classes: &'a [Class],
    pub(super) by_name: &'a Lists,
}

impl Names<'_> {
    fn class(&self, package: u32) -> Class {
        self.classes[self.tables.package(PackageId(package)).architecture.index()]
    }

    /// Two packages of one name cannot be installed together, unless one is for 32 and the other for 64
    /// bits.
    pub(super) fn same_name_conflicts(&self, pairs: &mut Vec<(u32, u32)>) {
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            for (at, &one) in packages.iter().enumerate() {
                let others = packages[at + 1..].iter();
                let collide = others.filter(|&&other| self.class(one).collides(self.class(other)));
                pairs.extend(collide.map(|&other| (one, other)));
            }
        }
    }

    /// Whom each package obsoletes: by name and version of the package, not by what it provides.
    pub(super) fn obsoletes(&self, installable: &[bool]) -> FxHashMap<u32, Vec<u32>> {
        let mut obsoletes: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for id in self.tables.ids().filter(|id| installable[id.index()]) {
            for &dependency in self.tables.relations(id, Relation::Obsoletes) {
                let dependency = self.tables.dependencies.get(dependency);
                let named = self.by_name.get(dependency.name.0).iter().copied();
                let old = named.filter(|&other| self.is_obsoleted(id.0, other, dependency));
                obsoletes.entry(id.0).or_default().extend(old);
            }
        }
        obsoletes
    }

    fn is_obsoleted(&self, by: u32, other: u32, dependency: Dependency) -> bool {
        let (package, old) =
            (self.tables.package(PackageId(by)), self.tables.package(PackageId(other)));
        let comparison = Comparison::EQUAL;
        let itself = Dependency { name: old.name, comparison, evr: old.evr };
        package.name != old.name
            && self.class(by).collides(self.class(other))
            && self.tables.satisfies(itself, dependency)
    }

    /// For each package of an architecture that is not the best of its name: those of the same version
    /// that are. libsolv lets the inferior one in only beside one of those.
    pub(super) fn lockstep(&self, flags: &mut [u8], sets: &mut Sets) -> FxHashMap<u32, SetId> {
        let mut lockstep = FxHashMap::default();
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            let ranks = packages.iter().map(|&package| self.class(package).rank);
            let Some(best) = ranks.filter(|&rank| rank > Class::NOARCH).min() else { continue };
            let is_inferior = |package: &&u32| self.class(**package).is_inferior_to(best);
            for &package in packages.iter().filter(is_inferior) {
                let evr = |id: u32| self.tables.package(PackageId(id)).evr;
                let beside = packages.iter().filter(|other| !is_inferior(other));
                let same = beside.filter(|&&other| evr(other) == evr(package)).copied();
                lockstep.insert(package, sets.intern(&same.collect::<Vec<u32>>()));
                flags[package as usize] |= flag::INFERIOR;
            }
        }
        lockstep
    }

    /// Marks what libsolv's `dislike_old_versions` moves behind the others.
    pub(super) fn mark_old(&self, version_ranks: &[u32], flags: &mut [u8]) {
        let priority =
            |id: u32| self.tables.repository_of(PackageId(id)).map_or(0, |repo| repo.priority);
        let architecture = |id: u32| self.tables.package(PackageId(id)).architecture;
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            for &package in packages {
                let is_newer = |&&other: &&u32| {
                    let order = priority(other).cmp(&priority(package));
                    let ranks = version_ranks[other as usize].cmp(&version_ranks[package as usize]);
                    architecture(other) == architecture(package) && order.then(ranks).is_gt()
                };
                if packages.iter().any(|other| is_newer(&other)) {
                    flags[package as usize] |= flag::OLD;
                }
            }
        }
    }
}
