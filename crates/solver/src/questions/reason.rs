//! Why a package or source cannot be: the requirement that broke, and the way to it.

use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{SetId, Universe};
use std::fmt;

/// How far the way to a missing requirement is followed.
const DEPTH: usize = 32;

/// A package and what it asks for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Who asks.
    pub package: PackageId,
    /// What for.
    pub dependency: DependencyId,
}

/// What is at the end of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing provides the last requirement.
    Missing,
    /// What provides the last requirement conflicts with who asks for it; the first of those.
    Conflicting(PackageId),
    /// Each requirement could be met for itself, but not all together.
    Together,
    /// The package is not there.
    Gone,
}

/// Why a package or source cannot be installed or built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// From the package to the requirement that broke.
    pub hops: Vec<Hop>,
    /// What is wrong with it.
    pub end: End,
}

impl Reason {
    /// Finds the requirement that broke. The search for contradictions among several requirements is left to
    /// whoever explains them.
    #[must_use]
    pub fn find(universe: &Universe, package: PackageId) -> Self {
        let mut reason = Self { hops: Vec::new(), end: End::Together };
        if !universe.is_present(package) {
            reason.end = End::Gone;
            return reason;
        }
        let mut at = package;
        while reason.hops.len() < DEPTH {
            let Some((dependency, set)) = broken(universe, at) else { return reason };
            reason.hops.push(Hop { package: at, dependency });
            let candidates = universe.raw.get(set.0);
            let living = universe.sets.get(set.0).first();
            if let Some(&candidate) = living {
                reason.end = End::Conflicting(PackageId(candidate));
                return reason;
            }
            // The first candidate that was not passed yet: those who need each other go round in circles.
            let passed = |id: &&u32| reason.hops.iter().any(|hop| hop.package.0 == **id);
            let Some(&next) = candidates.iter().find(|id| !passed(id)) else {
                reason.end = if candidates.is_empty() { End::Missing } else { End::Together };
                return reason;
            };
            at = PackageId(next);
        }
        reason
    }

    /// The reason in words.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Words { reason: self, universe }
    }
}

/// The first requirement of a package that has no candidate which lives beside it.
fn broken(universe: &Universe, package: PackageId) -> Option<(DependencyId, SetId)> {
    let conflicts = universe.conflicts.get(package.0);
    let is_lost = |set: &SetId| {
        let mut members = universe.sets.get(set.0).iter();
        members.all(|member| conflicts.binary_search(member).is_ok())
    };
    let sets_of = |id: DependencyId| -> Vec<SetId> {
        match universe.rich(id, true) {
            Some(conditions) => {
                let plain = conditions.iter().filter(|condition| condition.when.is_empty());
                plain.map(|condition| condition.then).collect()
            }
            None => universe.set_of(id).into_iter().collect(),
        }
    };
    let requires = universe.tables().relations(package, Relation::Requires).iter();
    let mut all = requires.flat_map(|&id| sets_of(id).into_iter().map(move |set| (id, set)));
    all.find(|(_, set)| is_lost(set))
}

struct Words<'a> {
    reason: &'a Reason,
    universe: &'a Universe,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.universe.tables();
        for (at, hop) in self.reason.hops.iter().enumerate() {
            let name = tables.nevra(hop.package);
            let lead =
                if at == 0 { String::new() } else { format!(", which only {name} provides; it ") };
            write!(out, "{lead}needs {}", tables.dependency_text(hop.dependency))?;
        }
        match self.reason.end {
            End::Missing => write!(out, ", which nothing provides"),
            End::Conflicting(other) => {
                write!(out, ", which {} provides, and they conflict", tables.nevra(other))
            }
            End::Together if self.reason.hops.is_empty() => {
                write!(out, "cannot have all it needs together")
            }
            End::Together => write!(out, ", which in turn cannot be installed"),
            End::Gone => write!(out, "is not there"),
        }
    }
}
