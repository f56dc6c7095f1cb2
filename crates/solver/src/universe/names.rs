//! What follows from names, versions and architectures alone.

use super::architecture::Class;
use super::sets::{SetId, Sets};
use super::{flag, order};
use crate::tables::{Comparison, Dependency, Lists, PackageId, Relation, Tables};
use rustc_hash::FxHashMap;

/// The packages by name, with what their names are looked at for.
pub(crate) struct Names<'a> {
    pub(super) tables: &'a Tables,
    pub(super) classes: &'a [Class],
    pub(super) by_name: &'a Lists,
}

impl Names<'_> {
    fn class(&self, package: u32) -> Class {
        self.classes[self.tables.package(PackageId(package)).architecture.index()]
    }

    fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.by_name.iter().filter(|packages| packages.len() > 1)
    }

    /// Two packages of one name cannot be installed together, unless one is for 32 and the other for 64
    /// bits.
    pub(crate) fn collide(&self, one: u32, other: u32) -> bool {
        self.class(one).collides(self.class(other))
    }

    pub(super) fn same_name_conflicts(&self, pairs: &mut Vec<(u32, u32)>) {
        for packages in self.groups() {
            for (at, &one) in packages.iter().enumerate() {
                let others = packages[at + 1..].iter();
                let collide = others.filter(|&&other| self.collide(one, other));
                pairs.extend(collide.map(|&other| (one, other)));
            }
        }
    }

    /// Whom each package obsoletes.
    pub(super) fn obsoletes(&self, installable: &[bool]) -> FxHashMap<u32, Vec<u32>> {
        let installable = self.tables.ids().filter(|id| installable[id.index()]);
        let all = installable.map(|id| (id.0, self.obsoleted_by(id)));
        all.filter(|(_, obsoleted)| !obsoleted.is_empty()).collect()
    }

    /// Whom a package obsoletes: by name and version of the package, not by what it provides.
    pub(crate) fn obsoleted_by(&self, id: PackageId) -> Vec<u32> {
        let mut obsoleted = Vec::new();
        for &dependency in self.tables.relations(id, Relation::Obsoletes) {
            let dependency = self.tables.dependencies.get(dependency);
            let others = self.by_name.get(dependency.name.0).iter().copied();
            obsoleted.extend(others.filter(|&other| self.is_obsoleted(id.0, other, dependency)));
        }
        obsoleted
    }

    fn is_obsoleted(&self, by: u32, other: u32, dependency: Dependency) -> bool {
        let (package, old) =
            (self.tables.package(PackageId(by)), self.tables.package(PackageId(other)));
        let comparison = Comparison::EQUAL;
        let itself = Dependency { name: old.name, comparison, evr: old.evr };
        package.name != old.name
            && self.collide(by, other)
            && self.tables.satisfies(itself, dependency)
    }

    /// For each package of an architecture that is not the best of its name: those of the same version
    /// that are. libsolv lets the inferior one in only beside one of those.
    pub(super) fn lockstep(&self, flags: &mut [u8], sets: &mut Sets) -> FxHashMap<u32, SetId> {
        let mut lockstep = FxHashMap::default();
        for packages in self.groups() {
            for (package, same) in self.inferior(packages) {
                lockstep.insert(package, sets.intern(&same));
                flags[package as usize] |= flag::INFERIOR;
            }
        }
        lockstep
    }

    /// The packages of one name that are of an inferior architecture, each with those of its version and a
    /// better one.
    pub(crate) fn inferior(&self, packages: &[u32]) -> Vec<(u32, Vec<u32>)> {
        let ranks = packages.iter().map(|&package| self.class(package).rank);
        let Some(best) = ranks.filter(|&rank| rank > Class::NOARCH).min() else {
            return Vec::new();
        };
        let is_inferior = |package: &&u32| self.class(**package).is_inferior_to(best);
        let evr = |id: u32| self.tables.package(PackageId(id)).evr;
        let beside = |package: u32| {
            let others = packages.iter().filter(|other| !is_inferior(other)).copied();
            others.filter(|&other| evr(other) == evr(package)).collect()
        };
        let inferior = packages.iter().filter(is_inferior);
        inferior.map(|&package| (package, beside(package))).collect()
    }

    /// Marks what libsolv's `dislike_old_versions` moves behind the others.
    pub(super) fn mark_old(&self, version_ranks: &[u32], flags: &mut [u8]) {
        for packages in self.groups() {
            for &package in packages {
                if self.is_old(package, packages, version_ranks) {
                    flags[package as usize] |= flag::OLD;
                }
            }
        }
    }

    /// Whether among packages of its name there is a newer one of the same architecture, or one of a
    /// better repository.
    pub(crate) fn is_old(&self, package: u32, packages: &[u32], version_ranks: &[u32]) -> bool {
        let priority =
            |id: u32| self.tables.repository_of(PackageId(id)).map_or(0, |repo| repo.priority);
        let architecture = |id: u32| self.tables.package(PackageId(id)).architecture;
        packages.iter().any(|&other| {
            let order = priority(other).cmp(&priority(package));
            let ranks = version_ranks[other as usize].cmp(&version_ranks[package as usize]);
            architecture(other) == architecture(package) && order.then(ranks).is_gt()
        })
    }

    /// Ranks the versions of packages of one name.
    pub(crate) fn rank_versions(&self, packages: &[u32], ranks: &mut [u32]) {
        order::rank_versions(self.tables, packages, ranks);
    }
}
