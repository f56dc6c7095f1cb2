//! The universe as the inner loops read it: its lists as plain slices, and of what a package needs only that
//! which the base does not have.

use crate::tables::Rows;
use crate::universe::{Universe, flag};

/// The universe's lists.
#[derive(Clone, Copy)]
pub(super) struct UniverseRows<'u> {
    pub(super) sets: Rows<'u>,
    pub(super) needs: Rows<'u>,
    pub(super) forced: Rows<'u>,
    pub(super) choices: Rows<'u>,
    pub(super) conflicts: Rows<'u>,
    pub(super) forced_by: Rows<'u>,
    pub(super) member_of: Rows<'u>,
    pub(super) owners_of: Rows<'u>,
}

impl<'u> UniverseRows<'u> {
    pub(super) fn of(universe: &'u Universe) -> Self {
        Self {
            sets: universe.sets.rows(),
            needs: universe.needs.rows(),
            forced: universe.forced.rows(),
            choices: universe.choices.rows(),
            conflicts: universe.conflicts.rows(),
            forced_by: universe.forced_by.rows(),
            member_of: universe.member_of.rows(),
            owners_of: universe.owners_of.rows(),
        }
    }
}

/// What a package asks beyond the base, found when it is first asked: nearly everything needs what every
/// buildroot has.
pub(super) struct Beyond {
    /// By package of the base.
    base: Vec<bool>,
    /// By package: where its parts of [`Needs`] start, where they end, and whether they are all.
    needs: Vec<[u32; 4]>,
    /// By package: where the sets that it is in and that the base has no member of start, and where they end.
    memberships: Vec<[u32; 2]>,
    /// None of them is at place 0.
    items: Vec<u32>,
}

/// What one package needs beyond the base: items between places.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    /// Where the packages start that it cannot do without.
    pub(super) forced: u32,
    /// Where the sets start of which it needs one each.
    pub(super) choices: u32,
    pub(super) end: u32,
    /// Whether nothing else follows from it: it conflicts with nobody and states no condition.
    pub(super) is_all: bool,
}

/// Where something starts that was not looked at yet. Memory that is zero costs nothing before it is used.
const UNKNOWN: u32 = 0;

impl Beyond {
    /// Beyond a base of no package yet.
    pub(super) fn new(packages: usize) -> Self {
        Self {
            base: vec![false; packages],
            needs: vec![[UNKNOWN; 4]; packages],
            memberships: vec![[UNKNOWN; 2]; packages],
            items: vec![0],
        }
    }

    /// From now on the base has these packages. What was found before holds as well; it only says more.
    pub(super) fn settle(&mut self, base: impl Iterator<Item = u32>) {
        base.for_each(|package| self.base[package as usize] = true);
    }

    /// What a package needs and the base does not have.
    #[inline]
    pub(super) fn needs(&mut self, universe: &Universe, package: u32) -> Needs {
        let [forced, choices, end, is_all] = self.needs[package as usize];
        if forced == UNKNOWN {
            return self.find_needs(universe, package);
        }
        Needs { forced, choices, end, is_all: is_all != 0 }
    }

    /// Where the sets a package is in start, and where they end.
    #[inline]
    pub(super) fn memberships(&mut self, rows: UniverseRows<'_>, package: u32) -> [u32; 2] {
        let span = self.memberships[package as usize];
        if span[0] == UNKNOWN { self.find_memberships(rows, package) } else { span }
    }

    /// The package or set at a place.
    #[inline]
    pub(super) fn item(&self, at: u32) -> u32 {
        self.items[at as usize]
    }

    #[cold]
    fn find_needs(&mut self, universe: &Universe, package: u32) -> Needs {
        let rows = UniverseRows::of(universe);
        let forced = self.items.len() as u32;
        let others = rows.forced.get(package).iter();
        self.items.extend(others.filter(|other| !self.base[**other as usize]));
        let choices = self.items.len() as u32;
        self.add_unmet(rows, rows.choices.get(package));
        let is_special = universe.has(package, flag::CONDITIONAL | flag::INFERIOR);
        let is_all = !is_special && rows.conflicts.get(package).is_empty();
        let end = self.items.len() as u32;
        self.needs[package as usize] = [forced, choices, end, u32::from(is_all)];
        Needs { forced, choices, end, is_all }
    }

    #[cold]
    fn find_memberships(&mut self, rows: UniverseRows<'_>, package: u32) -> [u32; 2] {
        let start = self.items.len();
        self.add_unmet(rows, rows.member_of.get(package));
        let span = [start, self.items.len()].map(|at| at as u32);
        self.memberships[package as usize] = span;
        span
    }

    /// Adds the sets that the base has no member of.
    fn add_unmet(&mut self, rows: UniverseRows<'_>, sets: &[u32]) {
        let is_base = |package: &u32| self.base[*package as usize];
        let is_unmet = |set: &&u32| !rows.sets.get(**set).iter().any(is_base);
        self.items.extend(sets.iter().filter(is_unmet));
    }
}
