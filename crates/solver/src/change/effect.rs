//! What a change touched, in the terms in which answers depend on it.

use crate::tables::PackageId;
use std::collections::BTreeMap;

/// What a change touched. All lists are sorted and without repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Packages and sources that were put in, taken out or replaced.
    pub changed: Vec<PackageId>,
    /// Those of them that are there both before and after, with another version.
    pub renamed: Vec<PackageId>,
    /// Packages and sources for which what follows from installing them may differ: the candidates of their
    /// needs, their conditions, what they forbid.
    pub followed: Vec<PackageId>,
    /// Those of them that need something else and did not change otherwise, with what they needed: who has some of
    /// that anyhow may see no difference.
    pub(crate) rewired: Vec<Rewired>,
    /// Sets that have other candidates, with those they had.
    pub(crate) reseated: BTreeMap<u32, Vec<u32>>,
    /// Packages that may be ranked differently among the candidates of a need.
    pub ranked: Vec<PackageId>,
    /// Packages that say anew with whom they cannot be installed, with the other one.
    pub conflicts: Vec<(PackageId, PackageId)>,
    /// Packages that can never be installed now and could before, or the other way round.
    pub flipped: Vec<PackageId>,
}

/// What a package needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rewired {
    pub(crate) package: PackageId,
    /// Packages it could not do without, sorted.
    pub(crate) forced: Vec<u32>,
    /// Sets of which it needed one each, in their order.
    pub(crate) choices: Vec<u32>,
}
