//! A package: who it is, and where its relations are.

use super::evr::EvrId;
use super::strings::StringId;
use bytemuck::{Pod, Zeroable};
use std::ops::Range;

/// Number of a package, in the order they were read; sources count too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct PackageId(pub(crate) u32);

impl PackageId {
    /// The package at a position in the tables.
    #[must_use]
    pub fn from_index(index: usize) -> Self {
        Self(index as u32)
    }

    /// Position of the package in the tables.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The headings under which a package speaks of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// What it offers: capabilities, and the files somebody may ask for.
    Provides,
    /// What must be there; of a source package, what it needs to be built.
    Requires,
    /// What must not be there; of a source package, what must not be in its buildroot.
    Conflicts,
    /// Packages, by name, that this one replaces.
    Obsoletes,
    /// What should be there.
    Recommends,
    /// Who should have this one.
    Supplements,
    /// What is chosen first among equals.
    Suggests,
    /// Among whose choices this one comes first.
    Enhances,
}

impl Relation {
    /// How many headings there are.
    pub const COUNT: usize = 8;

    /// All of them in the order they are stored.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Provides,
        Self::Requires,
        Self::Conflicts,
        Self::Obsoletes,
        Self::Recommends,
        Self::Supplements,
        Self::Suggests,
        Self::Enhances,
    ];
}

/// A package's identity. What it says of others is asked of the tables.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Package {
    /// Its name.
    pub name: StringId,
    /// Its architecture; `src` or `nosrc` for a source package.
    pub architecture: StringId,
    /// Its version and release.
    pub evr: EvrId,
    /// File name of the source it was built from; empty for a source.
    pub source: StringId,
    pub(super) start: u32,
    pub(super) ends: [u32; Relation::COUNT],
}

impl Package {
    /// A package to be pushed to the tables.
    #[must_use]
    pub fn new(name: StringId, architecture: StringId, evr: EvrId, source: StringId) -> Self {
        Self { name, architecture, evr, source, start: 0, ends: [0; Relation::COUNT] }
    }

    pub(super) fn range(&self, relation: Relation) -> Range<usize> {
        let at = relation as usize;
        let start = if at == 0 { self.start } else { self.ends[at - 1] };
        start as usize..self.ends[at] as usize
    }
}
