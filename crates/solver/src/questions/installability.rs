//! Whether each package can be installed (repoclosure).

use super::difference::Difference;
use super::proofs::Proofs;
use super::reason::Reason;
use crate::change::{Effect, LiveUniverse};
use crate::reverse::{Questions, Verdict};
use crate::solve::Job;
use crate::tables::PackageId;
use crate::universe::{Universe, flag};
use std::fmt;

/// What is known of each package.
#[derive(Debug)]
pub struct Installability {
    proofs: Proofs,
}

impl Installability {
    /// Finds out about all packages of the machine's architecture.
    #[must_use]
    pub fn new(live: &LiveUniverse, threads: usize) -> Self {
        let about = live.universe().installable().collect();
        let base = (Questions::default(), Job::new());
        Self { proofs: Proofs::on_base(live, base, about, threads) }
    }

    /// How it stands with one package.
    #[must_use]
    pub fn verdict(&self, package: PackageId) -> Verdict {
        self.proofs.verdict(package)
    }

    /// The packages that cannot be installed, or of which it is not known, each with the reason.
    #[must_use]
    pub fn report(&self, universe: &Universe) -> Report {
        Report::new(&self.proofs, universe)
    }

    /// What stops or begins to be installable by a change that was applied to the universe and is not
    /// followed: a hypothesis.
    #[must_use]
    pub fn difference(&self, live: &LiveUniverse, effect: &Effect) -> Difference {
        let is_asked = |id: PackageId| live.universe().has(id.0, flag::INSTALLABLE);
        Difference::new(live, self.proofs.difference(live, effect, is_asked))
    }
}

/// Who cannot be installed or built, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many were looked at.
    pub count: usize,
    /// Those that cannot be, or of which it is not known.
    pub broken: Vec<(PackageId, Verdict, Reason)>,
}

impl Report {
    pub(super) fn new(proofs: &Proofs, universe: &Universe) -> Self {
        let all = proofs.about().iter().map(|&id| (id, proofs.verdict(id)));
        let broken = all.filter(|(_, verdict)| *verdict != Verdict::Solved);
        let broken = broken.map(|(id, verdict)| (id, verdict, Reason::find(universe, id)));
        Self { count: proofs.about().len(), broken: broken.collect() }
    }

    /// A line for each that is broken.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { report: self, universe }
    }
}

struct Table<'a> {
    report: &'a Report,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, _, reason) in &self.report.broken {
            let nevra = self.universe.tables().nevra(*id);
            writeln!(out, "{nevra} {}", reason.display(self.universe))?;
        }
        Ok(())
    }
}
