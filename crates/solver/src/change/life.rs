//! Who can never be installed any more, and who can again.

use super::slots::Patch;
use crate::tables::PackageId;
use crate::universe::flag;
use std::collections::BTreeSet;

impl Patch<'_> {
    /// Follows death and life upwards from what was touched: first everything dead that hangs on it is taken
    /// to live, then what cannot dies again, and takes others with it.
    pub(super) fn follow_life(&mut self) {
        let is_there = |id: &u32| self.universe.has(*id, flag::INSTALLABLE);
        let seeds: Vec<u32> = self.relinked.iter().copied().filter(is_there).collect();
        let is_dead = |id: &u32| self.universe.has(*id, flag::DEAD);
        let revived = self.revive(seeds.iter().copied().filter(is_dead).collect());
        let mut died = BTreeSet::new();
        let mut queue = seeds;
        queue.extend(&revived);
        while let Some(package) = queue.pop() {
            if self.universe.has(package, flag::DEAD) || !self.is_doomed(package) {
                continue;
            }
            self.universe.flags.to_mut()[package as usize] |= flag::DEAD;
            died.insert(package);
            for &set in self.index.raw_of.get(package) {
                let owners = self.index.owners.get(set).iter().copied();
                queue.extend(owners.filter(|&owner| self.universe.has(owner, flag::INSTALLABLE)));
            }
        }
        // What was dead before and died again did not change; a new package that is dead did.
        for &package in revived.symmetric_difference(&died) {
            self.effect.flipped.push(PackageId(package));
            self.followed.insert(package);
            self.sets.extend(self.index.raw_of.get(package));
            self.relinked.insert(package);
        }
        for (package, old) in &self.before {
            if old.is_none() {
                self.sets.extend(self.index.raw_of.get(*package));
            }
        }
    }

    fn revive(&mut self, mut queue: Vec<u32>) -> BTreeSet<u32> {
        let mut revived = BTreeSet::new();
        while let Some(package) = queue.pop() {
            if !self.universe.has(package, flag::DEAD) {
                continue;
            }
            self.universe.flags.to_mut()[package as usize] &= !flag::DEAD;
            revived.insert(package);
            for &set in self.index.raw_of.get(package) {
                let owners = self.index.owners.get(set).iter().copied();
                queue.extend(owners.filter(|&owner| self.universe.has(owner, flag::DEAD)));
            }
        }
        revived
    }

    /// Whether one of its needs has no candidate that lives beside it.
    fn is_doomed(&self, package: u32) -> bool {
        let universe = &*self.universe;
        let conflicts = universe.conflicts.get(package);
        let is_out = |&other: &u32| {
            universe.has(other, flag::DEAD) || conflicts.binary_search(&other).is_ok()
        };
        universe.needs.get(package).iter().any(|&set| universe.raw.get(set).iter().all(is_out))
    }
}
