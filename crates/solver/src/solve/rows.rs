//! The universe as the inner loops read it: its lists as plain slices, and of what a package needs only that
//! which the base does not have.

use crate::tables::Rows;
use crate::universe::Universe;

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
#[derive(Default)]
pub(super) struct Beyond {
    /// By package of the base.
    base: Vec<bool>,
    /// By package: where its forced needs start, where its choices do, and where they end.
    needs: Vec<[u32; 3]>,
    /// By package: where the sets that it is in and that the base has no member of start, and where they end.
    memberships: Vec<[u32; 2]>,
    items: Vec<u32>,
}

/// Where something starts that was not looked at yet.
const UNKNOWN: u32 = u32::MAX;

impl Beyond {
    /// Beyond a base of these packages.
    pub(super) fn new(packages: usize, base: impl Iterator<Item = u32>) -> Self {
        let mut is_base = vec![false; packages];
        base.for_each(|package| is_base[package as usize] = true);
        Self {
            base: is_base,
            needs: vec![[UNKNOWN; 3]; packages],
            memberships: vec![[UNKNOWN; 2]; packages],
            items: Vec::new(),
        }
    }

    /// Where a package's forced needs start, where its choices do, and where they end.
    #[inline]
    pub(super) fn needs(&mut self, rows: UniverseRows<'_>, package: u32) -> [u32; 3] {
        let span = self.needs[package as usize];
        if span[0] == UNKNOWN { self.find_needs(rows, package) } else { span }
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
    fn find_needs(&mut self, rows: UniverseRows<'_>, package: u32) -> [u32; 3] {
        let start = self.items.len();
        let forced = rows.forced.get(package).iter();
        self.items.extend(forced.filter(|other| !self.base[**other as usize]));
        let middle = self.items.len();
        self.add_unmet(rows, rows.choices.get(package));
        let span = [start, middle, self.items.len()].map(|at| at as u32);
        self.needs[package as usize] = span;
        span
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
