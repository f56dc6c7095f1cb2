//! Rich (boolean) dependencies: `(a and b)`, `or`, `if … else`, `unless … else`, `with`, `without`, nested.
//!
//! Grammar and meaning: <https://rpm-software-management.github.io/rpm/manual/boolean_dependencies.html>;
//! where rpm leaves a meaning open, libsolv's `cplxdeps.c`.

mod lower;
mod parse;

pub(crate) use lower::{Clause, lower};
pub use parse::{RichError, parse, words};

use crate::tables::DependencyId;

/// A rich dependency as a tree. Its leaves are plain dependencies of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rich {
    /// A plain dependency.
    Plain(DependencyId),
    /// All of them.
    And(Vec<Rich>),
    /// At least one of them.
    Or(Vec<Rich>),
    /// The first, where the second holds; otherwise the third, if there is one.
    If(Box<Rich>, Box<Rich>, Option<Box<Rich>>),
    /// The first and not the second; or, with the third, the third where the second holds.
    Unless(Box<Rich>, Box<Rich>, Option<Box<Rich>>),
    /// One package that meets all of them.
    With(Vec<Rich>),
    /// A package that meets the first and not the second.
    Without(Box<Rich>, Box<Rich>),
}
