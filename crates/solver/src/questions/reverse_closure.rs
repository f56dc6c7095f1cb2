//! Who needs a package, directly and by way of others.

use crate::change::LiveUniverse;
use crate::tables::PackageId;
use crate::universe::{Universe, flag};
use std::fmt;

/// Which need counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// One that the package meets, whether or not others meet it too, as dnf's `repoquery --whatrequires`
    /// has it.
    Any,
    /// One that nothing else meets: without the packages, these cannot be installed either.
    Strict,
}

/// Who needs some packages. What needs them only on a condition is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseClosure {
    /// By distance: those who need them directly, those who need one of these, and so on; each in the order
    /// it was read.
    pub levels: Vec<Vec<PackageId>>,
}

impl ReverseClosure {
    /// Follows needs backwards, for as many levels as told. Sources are found, and not followed further.
    #[must_use]
    pub fn find(
        live: &LiveUniverse,
        packages: &[PackageId],
        strength: Strength,
        depth: usize,
    ) -> Self {
        let universe = live.universe();
        let mut is_known = vec![false; universe.tables().len()];
        let mut is_looked_at = vec![false; universe.raw.len()];
        for package in packages {
            is_known[package.index()] = true;
        }
        let mut levels: Vec<Vec<PackageId>> = Vec::new();
        let mut last: Vec<u32> = packages.iter().map(|id| id.0).collect();
        while levels.len() < depth {
            let mut level = Vec::new();
            for &set in last.iter().flat_map(|&package| live.index().sets_with(package)) {
                let is_met = || universe.raw.get(set).iter().any(|&id| !is_known[id as usize]);
                let looked_at = &mut is_looked_at[set as usize];
                if *looked_at || strength == Strength::Strict && is_met() {
                    continue;
                }
                *looked_at = true;
                let owners = live.index().owners.get(set).iter().copied();
                level.extend(owners.filter(|&owner| needs(universe, owner, set)));
            }
            level.sort_unstable();
            level.dedup();
            level.retain(|&id| !is_known[id as usize]);
            if level.is_empty() {
                break;
            }
            for &id in &level {
                is_known[id as usize] = true;
            }
            levels.push(level.iter().map(|&id| PackageId(id)).collect());
            last = level;
        }
        Self { levels }
    }

    /// All of them, by distance.
    pub fn all(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.levels.iter().flatten().copied()
    }

    /// A line for each, with its distance.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { closure: self, universe }
    }
}

/// Owners with conditions own the sets of these, too.
fn needs(universe: &Universe, owner: u32, set: u32) -> bool {
    let may_only_have_a_condition = flag::CONDITIONAL | flag::INFERIOR;
    !universe.has(owner, may_only_have_a_condition) || universe.needs.get(owner).contains(&set)
}

struct Table<'a> {
    closure: &'a ReverseClosure,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, distance) in self.closure.levels.iter().zip(1..) {
            for id in level {
                writeln!(out, "{distance} {}", self.universe.tables().nevra(*id))?;
            }
        }
        Ok(())
    }
}
