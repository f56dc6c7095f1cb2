//! Needs split into those with one candidate and those with a choice, and the indexes backwards.

use super::effect::Rewired;
use super::slots::Patch;
use crate::tables::{Edit, Lists, PackageId};
use crate::universe::flag;
use std::collections::BTreeMap;

impl Patch<'_> {
    /// Brings the living members of the touched sets up to date, then the needs of who owns them.
    pub(super) fn follow_links(&mut self) {
        let changed = self.follow_sets();
        for &set in changed.keys() {
            let owners = self.index.owners.get(set);
            self.relinked.extend(owners);
            let others = owners.iter().copied().filter(|&owner| !self.has_only_needs(owner));
            self.followed.extend(others.collect::<Vec<_>>());
        }
        for (source, old) in std::mem::take(&mut self.sources) {
            if !self.have_same_members(&old, self.universe.needs.get(source), &changed) {
                self.followed.insert(source);
            }
        }
        let relinked = std::mem::take(&mut self.relinked);
        let (mut forced, mut owners) = (Vec::new(), Vec::new());
        let mut choices = Vec::new();
        for package in relinked {
            let mut new: Vec<u32> = self.universe.forced_needs(package).collect();
            new.sort_unstable();
            new.dedup();
            self.universe.collect_choices(package, &mut choices);
            let is_same = self.universe.forced.get(package) == new
                && self.have_same_members(self.universe.choices.get(package), &choices, &changed);
            if !is_same {
                self.note_rewired(package);
            }
            Lists::note_difference(&mut forced, package, self.universe.forced.get(package), &new);
            let sorted = |list: &[u32]| {
                let mut sorted = list.to_vec();
                sorted.sort_unstable();
                sorted
            };
            let old = sorted(self.universe.choices.get(package));
            Lists::note_difference(&mut owners, package, &old, &sorted(&choices));
            self.universe.forced.set(package, &new);
            self.universe.choices.set(package, &choices);
        }
        self.universe.forced_by.edit(&mut forced);
        self.universe.owners_of.edit(&mut owners);
        self.effect.reseated = changed;
    }

    /// Whether what follows from a package stands in its lists of forced needs and of choices.
    fn has_only_needs(&self, package: u32) -> bool {
        let universe = &*self.universe;
        universe.has(package, flag::INSTALLABLE)
            && !universe.has(package, flag::CONDITIONAL)
            && !universe.lockstep.contains_key(&package)
    }

    /// Notes that a package needs something else, with what it needed.
    fn note_rewired(&mut self, package: u32) {
        if !self.has_only_needs(package) {
            self.followed.insert(package);
            return;
        }
        let forced = self.universe.forced.get(package).to_vec();
        let choices = self.universe.choices.get(package).to_vec();
        self.effect.rewired.push(Rewired { package: PackageId(package), forced, choices });
    }

    /// Whether two lists of sets have had the same living members all the time.
    fn have_same_members(
        &self,
        left: &[u32],
        right: &[u32],
        changed: &BTreeMap<u32, Vec<u32>>,
    ) -> bool {
        let is_pair_same = |(left, right): (&u32, &u32)| {
            left == right
                || self.universe.sets.get(*left) == self.universe.sets.get(*right)
                    && !changed.contains_key(left)
        };
        left.len() == right.len() && left.iter().zip(right).all(is_pair_same)
    }

    /// The sets that have other living members now, or the same in another order, with those they had.
    fn follow_sets(&mut self) -> BTreeMap<u32, Vec<u32>> {
        let mut changed = BTreeMap::new();
        let mut edits = Vec::new();
        self.universe.sets.grow(self.universe.raw.len());
        self.universe.popularity.to_mut().resize(self.universe.raw.len(), 0);
        for set in std::mem::take(&mut self.sets) {
            let universe = &mut *self.universe;
            let raw = universe.raw.get(set).iter().copied();
            let mut members: Vec<u32> = raw.filter(|&id| !universe.has(id, flag::DEAD)).collect();
            members.sort_unstable_by(|&left, &right| universe.choice_order(left, right));
            let old = universe.sets.get(set);
            if old == members {
                continue;
            }
            let indexed = |list: &[u32]| if list.len() > 1 { list.to_vec() } else { Vec::new() };
            let edit = |is_added| move |list: u32| Edit { list, item: set, is_added };
            edits.extend(indexed(old).into_iter().map(edit(false)));
            edits.extend(indexed(&members).into_iter().map(edit(true)));
            changed.insert(set, old.to_vec());
            universe.sets.set(set, &members);
        }
        self.universe.member_of.edit(&mut edits);
        changed
    }
}
