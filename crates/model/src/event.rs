//! Events: everything that can happen outside, as one closed enum.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, CommitId};
use crate::clock::Timestamp;
use crate::id::EventId;
use crate::rule::RuleId;
use crate::test::Outcome;

/// How grave the cause of a change is. A security fix waits for no debounce.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No security fix.
    #[default]
    None,
    /// A security fix of low impact.
    Low,
    /// Of moderate impact.
    Moderate,
    /// Of important impact.
    Important,
    /// Of critical impact.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 5] =
        [Self::None, Self::Low, Self::Moderate, Self::Important, Self::Critical];

    /// Its name in files, columns and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::Important => "important",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person or another system may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Build it again from the commit its branch points at.
    Rebuild,
    /// Test what is published again.
    Retest,
}

/// Something that happened outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A branch points at another commit.
    Committed {
        /// Whose branch.
        artifact: ArtifactKey,
        /// Where it points now.
        commit: CommitId,
        /// Where it pointed before; none for a new branch.
        previous: Option<CommitId>,
        /// The old commit is not an ancestor of the new one.
        forced: bool,
        /// From the commit's `Severity:` trailer.
        severity: Severity,
        /// The commit's subject line.
        subject: String,
    },
    /// A branch, or its whole repository, is gone.
    BranchDeleted {
        /// Whose branch.
        artifact: ArtifactKey,
        /// Where it pointed.
        previous: CommitId,
    },
    /// Somebody asked.
    Requested {
        /// For what.
        artifact: ArtifactKey,
        /// What to do with it.
        request: Request,
        /// Who asked.
        by: String,
        /// Why.
        reason: String,
        /// How urgent it is.
        severity: Severity,
    },
    /// Another test system reports.
    TestResult {
        /// Of what.
        artifact: ArtifactKey,
        /// The NVR that was tested.
        nvr: String,
        /// Which test case.
        case: String,
        /// How it went.
        outcome: Outcome,
    },
    /// The time of a rule has come.
    TimeElapsed {
        /// For which artifact.
        artifact: ArtifactKey,
        /// Which rule.
        rule: RuleId,
        /// How often its time had come since 1970: the same period comes once.
        period: i64,
    },
    /// Another build system made something.
    Built {
        /// Of what.
        artifact: ArtifactKey,
        /// Its NVR.
        nvr: String,
        /// Who made it, if that is known.
        by: Option<String>,
        /// Which build system.
        system: String,
        /// When, if it says so.
        at: Option<Timestamp>,
    },
}

impl Event {
    /// The artifact it is about.
    pub fn artifact(&self) -> &ArtifactKey {
        match self {
            Self::Committed { artifact, .. }
            | Self::BranchDeleted { artifact, .. }
            | Self::Requested { artifact, .. }
            | Self::TestResult { artifact, .. }
            | Self::TimeElapsed { artifact, .. }
            | Self::Built { artifact, .. } => artifact,
        }
    }

    /// Its kind, as rules, columns and listings name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Committed { .. } => "committed",
            Self::BranchDeleted { .. } => "branch-deleted",
            Self::Requested { .. } => "requested",
            Self::TestResult { .. } => "test-result",
            Self::TimeElapsed { .. } => "time-elapsed",
            Self::Built { .. } => "built",
        }
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Committed { severity, .. } | Self::Requested { severity, .. } => *severity,
            Self::BranchDeleted { .. }
            | Self::TestResult { .. }
            | Self::TimeElapsed { .. }
            | Self::Built { .. } => Severity::None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Committed { artifact, commit, forced, subject, .. } => {
                let how = if *forced { " by force" } else { "" };
                write!(f, "commit {} to {artifact}{how}: {subject}", commit.short())
            }
            Self::BranchDeleted { artifact, previous } => {
                write!(f, "branch of {artifact} deleted, it pointed at {}", previous.short())
            }
            Self::Requested { artifact, request, by, reason, .. } => {
                let what = match request {
                    Request::Rebuild => "rebuild",
                    Request::Retest => "retest",
                };
                write!(f, "{by} asked to {what} {artifact}: {reason}")
            }
            Self::TestResult { artifact, nvr, case, outcome } => {
                write!(f, "{case} {outcome} for {nvr} of {artifact}")
            }
            Self::TimeElapsed { artifact, rule, .. } => {
                write!(f, "the time of rule {rule} has come for {artifact}")
            }
            Self::Built { artifact, nvr, by, system, .. } => {
                write!(f, "{nvr} of {artifact} was built in {system}")?;
                by.as_ref().map_or(Ok(()), |by| write!(f, " by {by}"))
            }
        }
    }
}

/// What became of an event. Every event ends in one of these, with the ledger saying why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// Not looked at yet.
    New,
    /// A plan answers it.
    Planned,
    /// It asks for no plan.
    Done,
    /// It cannot be followed, e.g. the spec does not parse.
    Rejected,
}

impl EventState {
    /// Its name in columns and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Rejected => "rejected",
        }
    }
}

/// An event in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Its id.
    pub id: EventId,
    /// Its public number, in the order of recording.
    pub number: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// What became of it.
    pub state: EventState,
}
