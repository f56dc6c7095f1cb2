//! Whether each source can have its buildroot.

use super::difference::Difference;
use super::installability::Report;
use super::proofs::Proofs;
use crate::change::{Effect, LiveUniverse};
use crate::reverse::{Questions, Verdict};
use crate::solve::RequestError;
use crate::tables::PackageId;
use crate::universe::{Universe, flag};

/// What is known of each source.
#[derive(Debug)]
pub struct Buildability {
    proofs: Proofs,
}

impl Buildability {
    /// Finds out about all sources, each on top of the build group.
    ///
    /// # Errors
    /// Where a member of the group is neither a name nor a name with a version.
    pub fn new(
        live: &LiveUniverse,
        questions: Questions,
        threads: usize,
    ) -> Result<Self, RequestError> {
        let about = live.universe().sources().collect();
        Ok(Self { proofs: Proofs::new(live, questions, about, threads)? })
    }

    /// How it stands with one source.
    #[must_use]
    pub fn verdict(&self, source: PackageId) -> Verdict {
        self.proofs.verdict(source)
    }

    /// The sources that cannot be built, or of which it is not known, each with the reason.
    #[must_use]
    pub fn report(&self, universe: &Universe) -> Report {
        Report::new(&self.proofs, universe)
    }

    /// What stops or begins to be buildable by a change that was applied to the universe and is not followed:
    /// a hypothesis.
    #[must_use]
    pub fn difference(&self, live: &LiveUniverse, effect: &Effect) -> Difference {
        let is_asked = |id: PackageId| live.universe().has(id.0, flag::SOURCE);
        Difference::new(live, self.proofs.difference(live, effect, is_asked))
    }
}
