//! Gates: policies, waivers and what stands against a build.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactKey;
use crate::clock::Timestamp;
use crate::id::WaiverId;

/// One policy, in the terms of Greenwave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id; `gating.yaml` for one without.
    pub id: String,
    /// Globs for the branches it is for.
    pub product_versions: Vec<String>,
    /// The points at which it is asked.
    pub decision_contexts: Vec<String>,
    /// What must hold.
    pub rules: Vec<Rule>,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Rule {
    /// Greenwave's `!PassingTestCaseRule`.
    PassingTestCase {
        /// The test case.
        test_case: String,
    },
}

/// What stands between a build and its dependents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Objection {
    /// The artifact whose test it is: the build's own, or one that was retested with it.
    pub artifact: ArtifactKey,
    /// The test case.
    pub case: String,
    /// What is the matter with it.
    #[serde(flatten)]
    pub kind: ObjectionKind,
}

/// What is the matter with a required test case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "objection", rename_all = "kebab-case")]
pub enum ObjectionKind {
    /// Nobody has run it.
    Missing,
    /// It waits to be run.
    Queued,
    /// It runs.
    Running,
    /// It could not be run.
    Errored {
        /// Why.
        note: String,
    },
    /// It failed.
    Failed {
        /// The first telling line.
        note: String,
    },
    /// The commit removes the test from its gate; somebody must sign off on that.
    Removed,
    /// It is published on a person's sign-off only, and nobody has signed off yet.
    Unsigned,
    /// The cycle did not settle: these facets keep moving.
    Unsettled {
        /// Which, of which packages.
        facets: Vec<String>,
    },
}

impl ObjectionKind {
    /// Whether time alone may resolve it.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Missing | Self::Queued | Self::Running)
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (artifact, case) = (&self.artifact, &self.case);
        match &self.kind {
            ObjectionKind::Missing => write!(f, "{case} of {artifact} is missing"),
            ObjectionKind::Queued => write!(f, "{case} of {artifact} is queued"),
            ObjectionKind::Running => write!(f, "{case} of {artifact} is running"),
            ObjectionKind::Errored { note } => write!(f, "{case} of {artifact} errored: {note}"),
            ObjectionKind::Failed { note } => write!(f, "{case} of {artifact} failed: {note}"),
            ObjectionKind::Removed => {
                write!(f, "{case} was removed from the gate of {artifact}: that needs a sign-off")
            }
            ObjectionKind::Unsigned => {
                write!(f, "{artifact} waits for a person's sign-off ({case})")
            }
            ObjectionKind::Unsettled { facets } => {
                write!(
                    f,
                    "the cycle of {artifact} does not settle: {} keep moving",
                    facets.join(", ")
                )
            }
        }
    }
}

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything required passed or is waived.
    Open {
        /// The objections that a waiver lifts.
        waived: Vec<Objection>,
        /// Whether the artifact has no policy of its own, so that only the floor was asked.
        ungated: bool,
    },
    /// Some tests are not over.
    Waiting {
        /// Which.
        objections: Vec<Objection>,
    },
    /// Something stands against it.
    Refused {
        /// What.
        objections: Vec<Objection>,
    },
}

/// Somebody accepts a result as it is, or signs off on a removed test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Its id.
    pub id: WaiverId,
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// For which test case.
    pub case: String,
    /// The build it is for, by NVR; every build of the artifact if it is left out.
    pub nvr: Option<String>,
    /// A waiver lifts a failure; a sign-off accepts a removal.
    pub kind: WaiverKind,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when. What passed before stays passed.
    pub end: Option<Timestamp>,
}

/// What a waiver is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WaiverKind {
    /// Lifts a missing, errored or failed result.
    Waiver,
    /// Accepts that a commit removes a test from its gate, or lets be published what waits for a person.
    SignOff,
}

impl Waiver {
    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.at <= now && self.end.is_none_or(|end| now < end)
    }
}
