//! What a change touched, in the terms in which answers depend on it.

use crate::tables::PackageId;

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
    /// Packages that may be ranked differently among the candidates of a need.
    pub ranked: Vec<PackageId>,
    /// Packages that say anew with whom they cannot be installed, with the other one.
    pub conflicts: Vec<(PackageId, PackageId)>,
    /// Packages that can never be installed now and could before, or the other way round.
    pub flipped: Vec<PackageId>,
}
