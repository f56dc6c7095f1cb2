//! What a hypothetical change breaks and mends.

use super::reason::Reason;
use crate::change::LiveUniverse;
use crate::reverse::Verdict;
use crate::tables::PackageId;
use crate::universe::Universe;
use std::fmt;

/// Packages or sources that stop or begin to be possible. Reasons are those of the changed universe, so they
/// are put into words before the change is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Those that were possible, or were not there, and are not possible, with the reason.
    pub broken: Vec<(PackageId, Reason)>,
    /// Those that were not possible and are.
    pub mended: Vec<PackageId>,
    /// Those that are not there any more.
    pub gone: Vec<PackageId>,
}

impl Difference {
    pub(super) fn new(live: &LiveUniverse, verdicts: Vec<(PackageId, Verdict, Verdict)>) -> Self {
        let mut difference = Self::default();
        for (id, _, now) in verdicts {
            match now {
                Verdict::Solved => difference.mended.push(id),
                Verdict::Gone => difference.gone.push(id),
                Verdict::Unsatisfiable => {
                    difference.broken.push((id, Reason::find(live.universe(), id)));
                }
            }
        }
        difference
    }

    /// Whether nothing breaks.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        self.broken.is_empty()
    }

    /// A line for each package that breaks or is mended; to be made while the change is applied.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { difference: self, universe }
    }
}

struct Table<'a> {
    difference: &'a Difference,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nevra = |id: &PackageId| self.universe.tables().nevra(*id);
        for (id, reason) in &self.difference.broken {
            writeln!(out, "breaks {}: it {}", nevra(id), reason.display(self.universe))?;
        }
        for id in &self.difference.mended {
            writeln!(out, "mends {}", nevra(id))?;
        }
        Ok(())
    }
}
