//! Who provides and who asks for a capability: a soname, a symbol version, a file.

use crate::change::LiveUniverse;
use crate::tables::{Comparison, Dependency, DependencyId, EvrId, PackageId};
use crate::universe::Universe;
use std::fmt;

/// Who has to do with a capability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumers {
    /// Who provides it, in whatever version.
    pub providers: Vec<PackageId>,
    /// Who asks for it under any heading, and in which words: alone, with a version, or within a rich
    /// dependency.
    pub consumers: Vec<(PackageId, DependencyId)>,
}

impl Consumers {
    /// Looks for a name such as `libz.so.1()(64bit)` or `libc.so.6(GLIBC_2.38)(64bit)`.
    #[must_use]
    pub fn find(live: &LiveUniverse, capability: &str) -> Self {
        let universe = live.universe();
        let Some(name) = universe.tables().strings.find(capability.as_bytes()) else {
            return Self::default();
        };
        let asked = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
        let mut consumers: Vec<(PackageId, DependencyId)> =
            live.index().askers(name).map(|(id, dependency)| (PackageId(id), dependency)).collect();
        consumers.sort_unstable();
        consumers.dedup();
        Self { providers: universe.providers(asked), consumers }
    }

    /// A line for each.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { consumers: self, universe }
    }
}

struct Table<'a> {
    consumers: &'a Consumers,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.universe.tables();
        for id in &self.consumers.providers {
            writeln!(out, "{} provides it", tables.nevra(*id))?;
        }
        for (id, dependency) in &self.consumers.consumers {
            writeln!(
                out,
                "{} asks for {}",
                tables.nevra(*id),
                tables.dependency_text(*dependency)
            )?;
        }
        Ok(())
    }
}
