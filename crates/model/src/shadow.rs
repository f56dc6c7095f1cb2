//! Shadow mode: what was built by whoever really builds, and what we would have done, side by side.

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactKey;
use crate::clock::Timestamp;

/// A build that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActualBuild {
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// Its NVR, as the other side calls it.
    pub nvr: String,
    /// Who made it, if that is known.
    pub by: Option<String>,
    /// The build system that did.
    pub system: String,
    /// When.
    pub at: Timestamp,
}

/// What we would have done in a span of time, against what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowReport {
    /// Where the span begins.
    pub from: Timestamp,
    /// Where it ends; this moment is not part of it.
    pub until: Timestamp,
    /// How many plans there were in it.
    pub plans: usize,
    /// Artifacts that were seen for the first time; that they would have been built says nothing.
    pub first_seen: usize,
    /// What we would have built and somebody did.
    pub both: Vec<BothBuilt>,
    /// What we would have built, or looked at, and nobody did.
    pub only_we: Vec<WouldBuild>,
    /// What somebody built and we would not even have looked at.
    pub only_they: Vec<ActualBuild>,
    /// What was built in another order than we would have built it.
    pub order: Vec<OrderDifference>,
}

/// How sure it is that we would have built something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// A change starts there.
    Certain,
    /// A change reaches it; what its dependencies would have changed, which nobody knows without building them, decides.
    DependsOnFacets,
}

/// Something we would have built, or looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldBuild {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// How sure that is.
    pub certainty: Certainty,
    /// The public number of the first plan that has it.
    pub plan: i64,
    /// When that plan was made.
    pub at: Timestamp,
    /// Why.
    pub sentence: String,
}

/// Something we would have built and somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BothBuilt {
    /// What we would have done.
    #[serde(flatten)]
    pub would: WouldBuild,
    /// What was done, the oldest first.
    pub builds: Vec<ActualBuild>,
}

/// Two builds in another order than ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDifference {
    /// What was built first and needs the other.
    pub dependent: ActualBuild,
    /// What was built after it, and would have come first.
    pub dependency: ActualBuild,
    /// How the one needs the other.
    pub sentence: String,
    /// The public number of the plan that says so.
    pub plan: i64,
}
