//! A great many packages that can all be installed together: one set that proves each of its members.

use crate::change::LiveUniverse;
use crate::tables::PackageId;
use crate::universe::{Condition, Universe, flag};

/// Packages that are installed together; every need of each is met, and none conflicts with another. Sources
/// may be members, too: what they need is there then.
#[derive(Debug, Clone)]
pub(super) struct World {
    is_member: Vec<bool>,
    /// Members that state conditions.
    conditional: Vec<u32>,
}

/// A world that grows.
pub(super) struct Growth<'u> {
    universe: &'u Universe,
    pub(super) world: World,
    /// Members in the order they came in, since the last that was to stay.
    trail: Vec<u32>,
}

impl World {
    pub(super) fn new(universe: &Universe) -> Self {
        Self { is_member: vec![false; universe.tables().len()], conditional: Vec::new() }
    }

    pub(super) fn has(&self, package: u32) -> bool {
        self.is_member.get(package as usize).is_some_and(|is| *is)
    }

    /// Whether each want has a candidate in it.
    pub(super) fn has_any_of(&self, wants: &[Vec<PackageId>]) -> bool {
        wants.iter().all(|candidates| candidates.iter().any(|candidate| self.has(candidate.0)))
    }

    fn is_met(&self, universe: &Universe, set: u32) -> bool {
        universe.sets.get(set).iter().any(|&member| self.has(member))
    }

    fn meets(&self, universe: &Universe, condition: &Condition) -> bool {
        condition.when.iter().any(|set| !self.is_met(universe, set.0))
            || self.is_met(universe, condition.then.0)
    }

    /// Whether what a member asks holds.
    fn holds(&self, universe: &Universe, package: u32) -> bool {
        let is_there = universe.has(package, flag::INSTALLABLE | flag::SOURCE);
        let conflicts = universe.conflicts.get(package);
        let is_source = universe.has(package, flag::SOURCE);
        is_there
            && universe.needs.get(package).iter().all(|&set| self.is_met(universe, set))
            && (is_source || !conflicts.iter().any(|&other| self.has(other)))
            && universe.lockstep.get(&package).is_none_or(|set| self.is_met(universe, set.0))
            && universe.conditions(PackageId(package)).all(|one| self.meets(universe, one))
    }

    /// Whether nothing has to go after a change.
    pub(super) fn stands(&self, live: &LiveUniverse, touched: &[u32]) -> bool {
        let mut looked_at = touched.iter().chain(&self.conditional);
        looked_at.all(|&package| !self.has(package) || self.holds(live.universe(), package))
    }

    /// Takes out what does not hold any more after a change, and what hangs on it; the ones that had to go.
    pub(super) fn shed(&mut self, live: &LiveUniverse, touched: &[u32]) -> Vec<u32> {
        let universe = live.universe();
        self.is_member.resize(universe.tables().len(), false);
        let mut lost = Vec::new();
        let mut queue: Vec<u32> = touched.to_vec();
        queue.extend(&self.conditional);
        while let Some(package) = queue.pop() {
            if !self.has(package) || self.holds(universe, package) {
                continue;
            }
            self.is_member[package as usize] = false;
            lost.push(package);
            let index = live.index();
            let owners = index.sets_with(package).iter().flat_map(|&set| index.owners.get(set));
            queue.extend(owners.filter(|owner| self.has(**owner)));
        }
        self.conditional.retain(|package| self.is_member[*package as usize]);
        lost
    }
}

impl<'u> Growth<'u> {
    pub(super) fn new(universe: &'u Universe, mut world: World) -> Self {
        world.is_member.resize(universe.tables().len(), false);
        Self { universe, world, trail: Vec::new() }
    }

    /// Takes a package or source in, with what it needs; false where that is not easily possible.
    pub(super) fn add(&mut self, package: u32) -> bool {
        if self.world.has(package) {
            return true;
        }
        let conditional = self.world.conditional.len();
        self.trail.clear();
        if self.enter(package) && self.complete() && self.keeps_conditions() {
            return true;
        }
        for package in self.trail.drain(..) {
            self.world.is_member[package as usize] = false;
        }
        self.world.conditional.truncate(conditional);
        false
    }

    /// Meets a want of the base.
    pub(super) fn add_any(&mut self, candidates: &[PackageId]) -> bool {
        candidates.iter().any(|candidate| self.world.has(candidate.0))
            || candidates.iter().any(|candidate| self.add(candidate.0))
    }

    fn fits(&self, package: u32) -> bool {
        let conflicts = self.universe.conflicts.get(package);
        !self.universe.has(package, flag::DEAD)
            && !conflicts.iter().any(|&other| self.world.has(other))
    }

    fn enter(&mut self, package: u32) -> bool {
        let is_source = self.universe.has(package, flag::SOURCE);
        if !is_source && !self.fits(package) {
            return false;
        }
        self.world.is_member[package as usize] = true;
        self.trail.push(package);
        if self.universe.has(package, flag::CONDITIONAL) {
            self.world.conditional.push(package);
        }
        true
    }

    /// Meets the needs of what came in, one after the other, with the first candidate that fits.
    fn complete(&mut self) -> bool {
        let universe = self.universe;
        let mut at = 0;
        while let Some(&package) = self.trail.get(at) {
            at += 1;
            let lockstep = universe.lockstep.get(&package).map(|set| set.0);
            for &set in universe.needs.get(package).iter().chain(&lockstep) {
                if !self.world.is_met(universe, set) && !self.enter_member(set) {
                    return false;
                }
            }
        }
        true
    }

    fn enter_member(&mut self, set: u32) -> bool {
        let members = self.universe.sets.get(set);
        let found = members.iter().find(|&&member| self.fits(member));
        found.is_some_and(|&member| self.enter(member))
    }

    fn keeps_conditions(&self) -> bool {
        let universe = self.universe;
        self.world.conditional.iter().all(|&owner| {
            universe.conditions(PackageId(owner)).all(|one| self.world.meets(universe, one))
        })
    }
}
