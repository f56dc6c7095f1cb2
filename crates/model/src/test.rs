//! Test runs and their results.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, InvalidName};
use crate::build::Failure;
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{BuildId, ResultId, TestRunId};

/// How a test case went. Missing is not among them: it is the absence of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It waits to be run.
    Queued,
    /// It runs.
    Running,
    /// It passed.
    Passed,
    /// It says nothing against the build.
    Info,
    /// It failed.
    Failed,
    /// A person has to look; counts as failed.
    NeedsInspection,
    /// It could not be run: says nothing about the build.
    Error,
}

impl Outcome {
    /// Every outcome, as ResultsDB spells them.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Queued, "QUEUED"),
        (Self::Running, "RUNNING"),
        (Self::Passed, "PASSED"),
        (Self::Info, "INFO"),
        (Self::Failed, "FAILED"),
        (Self::NeedsInspection, "NEEDS_INSPECTION"),
        (Self::Error, "ERROR"),
    ];

    /// ResultsDB's spelling.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, text)| text)
    }

    /// Whether it satisfies a rule that wants the test passed.
    pub fn is_passed(self) -> bool {
        matches!(self, Self::Passed | Self::Info)
    }

    /// Whether the test is over.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        Self::ALL.iter().find(|(_, name)| *name == upper).map(|(outcome, _)| *outcome).ok_or_else(
            || InvalidName {
                what: "outcome",
                text: text.to_owned(),
                expected: "QUEUED, RUNNING, PASSED, INFO, FAILED, NEEDS_INSPECTION or ERROR",
            },
        )
    }
}

/// One run of the test cases of a build, in a root with exactly these packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    /// Its id.
    pub id: TestRunId,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// The build under test.
    pub build: BuildId,
    /// The digest over the files of every installed package: the same set is not tested twice.
    pub installed: Digest,
    /// The repository the set was resolved from.
    pub snapshot: Digest,
    /// The other builds of ours in the root.
    pub with: Vec<BuildId>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Where it stands.
    pub state: TestRunState,
    /// When it was asked for.
    pub created: Timestamp,
    /// Counts the changes; a stale writer is refused.
    pub version: i64,
}

/// Where a test run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TestRunState {
    /// It waits for a place.
    Queued,
    /// It runs.
    Running {
        /// The process that owns it.
        owner: String,
        /// Since when.
        since: Timestamp,
    },
    /// Each case has its result.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// It could not be run.
    Errored {
        /// Why.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
}

impl TestRunState {
    /// Its name in columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Finished { .. } => "finished",
            Self::Errored { .. } => "errored",
        }
    }
}

/// The result of one test case. It belongs to a build and to the set of packages it ran with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// Its id.
    pub id: ResultId,
    /// The run it came from; none if another system reported it.
    pub run: Option<TestRunId>,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// The build that was tested.
    pub build: BuildId,
    /// The test case.
    pub case: String,
    /// How it went.
    pub outcome: Outcome,
    /// The first telling line, for anything but a pass.
    pub note: String,
    /// When it was reported.
    pub at: Timestamp,
}
