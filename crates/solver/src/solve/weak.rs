//! What should be there though nothing needs it: recommended and supplementing packages, installed once
//! everything needed is, and left out where they cannot be. From libsolv's phase for weak dependencies.

use super::state::UNDECIDED;
use super::{Solver, Stop};
use crate::tables::{PackageId, Relation};
use crate::universe::Condition;
use std::cmp::Reverse;

impl Solver<'_> {
    /// Installs a round of weak dependencies; false where there are none left.
    pub(super) fn install_weak(&mut self) -> Result<bool, Stop> {
        let supplementing = self.supplementing();
        let mut candidates: Vec<u32> = self.open_recommends().into_iter().flatten().collect();
        candidates.extend(&supplementing);
        candidates.sort_unstable_by(|&left, &right| self.universe.choice_order(left, right));
        candidates.dedup();
        if candidates.is_empty() {
            return Ok(false);
        }
        self.prune_preferring(&mut candidates);
        let good = |id: &u32| candidates.contains(id);
        for package in supplementing.into_iter().filter(good) {
            if self.state[package as usize] == UNDECIDED && !self.try_weak(package)? {
                return Ok(true);
            }
        }
        for mut open in self.open_recommends() {
            if open.iter().any(|&member| self.is_installed(member)) {
                continue;
            }
            open.retain(|member| good(member) && self.state[*member as usize] == UNDECIDED);
            // Each is recommended; what the question prefers comes before that here.
            let best = open.iter().map(|&member| self.favour_of(member)).max();
            open.retain(|&member| Some(self.favour_of(member)) == best);
            if open.is_empty() {
                continue;
            }
            let package = self.choose_among(&mut open, None);
            if !self.try_weak(package)? {
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// Installs a package that may as well be left out; false where something had to be taken back.
    fn try_weak(&mut self, package: u32) -> Result<bool, Stop> {
        let before = self.retracted;
        self.try_package(package)?;
        Ok(self.retracted == before)
    }

    /// For each thing an installed package recommends and has not: what could be installed for it.
    fn open_recommends(&self) -> Vec<Vec<u32>> {
        let installed = self.trail.iter().filter(|entry| *entry & 1 == 0).map(|entry| entry >> 1);
        let tables = self.universe.tables();
        let mut open = Vec::new();
        for package in installed {
            for &id in tables.relations(PackageId(package), Relation::Recommends) {
                if let Some(set) = self.universe.set_of(id) {
                    open.extend(self.open_members(set.0));
                }
                for condition in self.universe.rich(id, true).unwrap_or_default() {
                    open.extend(self.open_consequence(condition));
                }
            }
        }
        open
    }

    fn open_consequence(&self, condition: &Condition) -> Option<Vec<u32>> {
        let applies = condition.when.iter().all(|set| self.is_met(set.0));
        if applies { self.open_members(condition.then.0) } else { None }
    }

    fn open_members(&self, set: u32) -> Option<Vec<u32>> {
        if self.is_met(set) {
            return None;
        }
        let mut members = Vec::new();
        self.collect_open(set, &mut members);
        members.retain(|&member| self.favour_of(member) >= 0);
        if members.is_empty() { None } else { Some(members) }
    }

    /// Packages that supplement what is installed, those first that the question prefers.
    fn supplementing(&self) -> Vec<u32> {
        let weak = &self.universe.recommended;
        let supplement = weak.called_by.keys().copied();
        let open = supplement.filter(|&id| {
            let is_open = self.state[id as usize] == UNDECIDED && self.favour_of(id) >= 0;
            is_open && !self.universe.is_dead(PackageId(id))
        });
        let mut called: Vec<u32> = open.filter(|&id| self.is_supplementing(id)).collect();
        called.sort_unstable_by_key(|&id| (Reverse(self.favour_of(id)), id));
        called
    }
}
