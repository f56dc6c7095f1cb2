//! What follows from names, versions and architectures, for the names that were touched.

use super::slots::Patch;
use crate::tables::{Edit, PackageId};
use crate::universe::flag;
use std::collections::BTreeSet;

impl Patch<'_> {
    /// Ranks, obsoletes and architectures in step, for packages of the touched names.
    pub(super) fn follow_names(&mut self) {
        let mut obsoleters: BTreeSet<u32> = self.before.keys().copied().collect();
        for name in self.names.clone() {
            let packages = self.universe.by_name.get(name).to_vec();
            obsoleters.extend(self.index.obsoleters.get(&name).into_iter().flatten());
            self.rank(&packages);
            self.keep_in_step(&packages);
            self.quarrelling.extend(packages);
        }
        for package in obsoleters {
            self.follow_obsoletes(package);
            self.quarrelling.insert(package);
        }
        // What is gone is in step with nothing.
        let gone = self.before.keys().copied();
        let gone: Vec<u32> = gone.filter(|&id| !self.universe.has(id, flag::INSTALLABLE)).collect();
        for package in gone {
            self.set_lockstep(package, None);
        }
    }

    fn rank(&mut self, packages: &[u32]) {
        let mut ranks = std::mem::take(&mut self.universe.version_ranks);
        self.universe.names().rank_versions(packages, ranks.to_mut());
        for &package in packages {
            let is_old = self.universe.names().is_old(package, packages, &ranks);
            if is_old != self.universe.has(package, flag::OLD) {
                self.universe.flags.to_mut()[package as usize] ^= flag::OLD;
                self.ranked.insert(package);
            }
        }
        // Ranks count within a name only: where several stand, any change may reorder them.
        if packages.len() > 1 {
            self.ranked.extend(packages);
        }
        self.universe.version_ranks = ranks;
    }

    fn keep_in_step(&mut self, packages: &[u32]) {
        let inferior = self.universe.names().inferior(packages);
        for &package in packages {
            let beside = inferior.iter().find(|(id, _)| *id == package).map(|(_, beside)| beside);
            self.set_lockstep(package, beside.map(Vec::as_slice));
        }
    }

    fn set_lockstep(&mut self, package: u32, beside: Option<&[u32]>) {
        let old = self.universe.lockstep.get(&package).copied();
        let new = beside.map(|members| self.intern(members));
        let bits = &mut self.universe.flags.to_mut()[package as usize];
        *bits = if new.is_some() { *bits | flag::INFERIOR } else { *bits & !flag::INFERIOR };
        if old == new {
            return;
        }
        let edit =
            |set: crate::universe::SetId, is_added| Edit { list: set.0, item: package, is_added };
        let removed = old.map(|set| edit(set, false)).into_iter();
        let mut edits: Vec<Edit> = removed.chain(new.map(|set| edit(set, true))).collect();
        self.index.owners.edit(&mut edits);
        match new {
            Some(set) => self.universe.lockstep.insert(package, set),
            None => self.universe.lockstep.remove(&package),
        };
        self.followed.insert(package);
        self.restated.insert(package);
    }

    fn follow_obsoletes(&mut self, package: u32) {
        let is_installable = self.universe.has(package, flag::INSTALLABLE);
        let new = if is_installable {
            self.universe.names().obsoleted_by(PackageId(package))
        } else {
            Vec::new()
        };
        let old = self.universe.obsoletes.get(&package).map_or(&[][..], Vec::as_slice);
        if old != new.as_slice() {
            self.ranked.extend(old.iter().chain(&new).chain([&package]));
            if new.is_empty() {
                self.universe.obsoletes.remove(&package);
            } else {
                self.universe.obsoletes.insert(package, new);
            }
        }
    }
}
