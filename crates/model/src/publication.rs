//! The published repository of a branch, generation after generation.

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, BranchName};
use crate::clock::Timestamp;
use crate::id::{BuildId, PlanId};

/// One state of a branch's published repository. Each follows the one before, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The branch.
    pub branch: BranchName,
    /// Counts from 1.
    pub number: i64,
    /// The plan that brought it.
    pub plan: PlanId,
    /// What is in it: one build for each artifact, sorted by artifact.
    pub builds: Vec<PublishedBuild>,
    /// When the intent was recorded.
    pub at: Timestamp,
    /// When the repository was switched to it; none while that is under way.
    pub switched: Option<Timestamp>,
}

/// The build of an artifact that is published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedBuild {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The build.
    pub build: BuildId,
}
