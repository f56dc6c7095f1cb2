//! What is asked or provided: a name, perhaps with a comparison and a version.

use super::column::Column;
use super::evr::EvrId;
use super::index::Index;
use super::strings::StringId;
use bytemuck::{Pod, Zeroable};
use rustc_hash::FxBuildHasher;
use std::cmp::Ordering;
use std::hash::BuildHasher;

/// Number of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct DependencyId(pub(crate) u32);

impl DependencyId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How versions must stand to each other: any of less, equal and greater, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Comparison(u32);

impl Comparison {
    /// The version does not matter.
    pub const ANY: Self = Self(0);
    /// `<`
    pub const LESS: Self = Self(1);
    /// `=`
    pub const EQUAL: Self = Self(2);
    /// `>`
    pub const GREATER: Self = Self(4);
    /// `<=`
    pub const LESS_OR_EQUAL: Self = Self(3);
    /// `>=`
    pub const GREATER_OR_EQUAL: Self = Self(6);
    /// Not a comparison: the name is the text of a rich dependency.
    pub const RICH: Self = Self(8);

    /// Whether no version is asked.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.0 & 7 == 0
    }

    /// As rpm writes it, where there is one.
    #[must_use]
    pub fn symbol(self) -> Option<&'static str> {
        Some(match self {
            Self::LESS => "<",
            Self::EQUAL => "=",
            Self::GREATER => ">",
            Self::LESS_OR_EQUAL => "<=",
            Self::GREATER_OR_EQUAL => ">=",
            _ => return None,
        })
    }

    /// From rpm's writing.
    #[must_use]
    pub fn from_symbol(symbol: &[u8]) -> Option<Self> {
        Some(match symbol {
            b"<" => Self::LESS,
            b"=" | b"==" => Self::EQUAL,
            b">" => Self::GREATER,
            b"<=" => Self::LESS_OR_EQUAL,
            b">=" => Self::GREATER_OR_EQUAL,
            _ => return None,
        })
    }

    /// From the attribute `flags` of repository metadata.
    #[must_use]
    pub fn from_flags(flags: &[u8]) -> Option<Self> {
        Some(match flags {
            b"LT" => Self::LESS,
            b"EQ" => Self::EQUAL,
            b"GT" => Self::GREATER,
            b"LE" => Self::LESS_OR_EQUAL,
            b"GE" => Self::GREATER_OR_EQUAL,
            b"" => Self::ANY,
            _ => return None,
        })
    }

    /// Whether two ranges have a version in common; `order` is how this one's version stands to the
    /// other's. As rpm's `rpmdsCompare`.
    pub(crate) fn meets(self, asked: Self, order: Ordering) -> bool {
        let (mine, other) = (self.0, asked.0);
        match order {
            Ordering::Less => mine & 4 != 0 || other & 1 != 0,
            Ordering::Greater => mine & 1 != 0 || other & 4 != 0,
            Ordering::Equal => mine & other & 7 != 0,
        }
    }
}

/// One dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Dependency {
    /// The name of a package, a capability or a path; of a rich dependency its whole text.
    pub name: StringId,
    /// How the version must stand to `evr`.
    pub comparison: Comparison,
    /// The version, if one is asked.
    pub evr: EvrId,
}

impl Dependency {
    /// Whether this is a rich (boolean) dependency.
    #[must_use]
    pub fn is_rich(self) -> bool {
        self.comparison == Comparison::RICH
    }
}

/// All dependencies, each kept once.
#[derive(Debug, Clone, Default)]
pub struct Dependencies {
    pub(super) all: Column<Dependency>,
    pub(super) numbers: Index,
}

pub(super) fn hash_dependency(dependency: Dependency) -> u64 {
    FxBuildHasher.hash_one(dependency)
}

impl Dependencies {
    /// The number of a dependency, new or known.
    pub fn intern(&mut self, dependency: Dependency) -> DependencyId {
        let hash = hash_dependency(dependency);
        let all: &[Dependency] = &self.all;
        let known = |number: u32| all[number as usize] == dependency;
        if let Some(number) = self.numbers.find(hash, known) {
            return DependencyId(number);
        }
        let number = self.all.len() as u32;
        self.all.to_mut().push(dependency);
        let all = &self.all;
        self.numbers.insert(hash, number, |other| hash_dependency(all[other as usize]));
        DependencyId(number)
    }

    /// The number of a dependency that is known, without adding it.
    #[must_use]
    pub fn find(&self, dependency: Dependency) -> Option<DependencyId> {
        let known = |number: u32| self.all[number as usize] == dependency;
        self.numbers.find(hash_dependency(dependency), known).map(DependencyId)
    }

    /// One dependency.
    #[must_use]
    pub fn get(&self, id: DependencyId) -> Dependency {
        self.all[id.index()]
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn shrink(&mut self) {
        self.all.shrink();
    }

    /// All of them by number.
    pub fn iter(&self) -> impl Iterator<Item = Dependency> {
        self.all.iter().copied()
    }
}
