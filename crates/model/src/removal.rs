//! What is not kept any more: which thing, why, and how much room that made.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artifact::InvalidName;
use crate::clock::Timestamp;

/// Something that takes room on the disk and may be removed by policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Which one: the id of a build, a test run or a snapshot; `BRANCH/NUMBER` for a generation, `BRANCH/COMPOSE-ID` for
    /// a compose.
    pub name: String,
}

impl Subject {
    /// A thing of this kind.
    pub fn new(kind: SubjectKind, name: impl fmt::Display) -> Self {
        Self { kind, name: name.to_string() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What kind of thing takes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// The log of a build.
    Log,
    /// The logs of a test run.
    TestLog,
    /// What a build put out.
    Outputs,
    /// A repository that builds and tests were resolved from.
    Snapshot,
    /// An old state of a published repository.
    Generation,
    /// A published compose.
    Compose,
}

impl SubjectKind {
    /// Every kind there is.
    pub const ALL: [Self; 6] =
        [Self::Log, Self::TestLog, Self::Outputs, Self::Snapshot, Self::Generation, Self::Compose];

    /// Its name in columns and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::TestLog => "test-log",
            Self::Outputs => "outputs",
            Self::Snapshot => "snapshot",
            Self::Generation => "generation",
            Self::Compose => "compose",
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SubjectKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| InvalidName {
            what: "kind of thing that is kept",
            text: text.to_owned(),
            expected: "log, test-log, outputs, snapshot, generation or compose",
        })
    }
}

/// Why something is not kept any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum RemovalReason {
    /// What it tells of is over for long, and nothing that is published or under way needs it.
    Old {
        /// When it was over.
        ended: Timestamp,
        /// How long it is kept after that.
        kept: Duration,
    },
    /// Nothing has used it for long.
    Unused {
        /// Since when.
        since: Timestamp,
        /// How long it is kept after that.
        kept: Duration,
    },
    /// Enough newer ones of the same line are kept.
    Outnumbered {
        /// How many.
        newer: usize,
    },
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old { kept, .. } => {
                write!(f, "it was over for more than {}", Days(*kept))
            }
            Self::Unused { kept, .. } => write!(f, "nothing used it for {}", Days(*kept)),
            Self::Outnumbered { newer: 1 } => f.write_str("a newer one is kept"),
            Self::Outnumbered { newer } => write!(f, "{newer} newer ones are kept"),
        }
    }
}

/// A duration as a policy spells it.
struct Days(Duration);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.as_secs_f64() / 86_400.0;
        if days.to_bits() == 1f64.to_bits() {
            f.write_str("1 day")
        } else {
            write!(f, "{days} days")
        }
    }
}

/// Something that is to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doomed {
    /// What.
    #[serde(flatten)]
    pub subject: Subject,
    /// Why.
    pub reason: RemovalReason,
}

/// A removal on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Its place in the record.
    pub number: i64,
    /// What, and why.
    #[serde(flatten)]
    pub doomed: Doomed,
    /// How many bytes of the disk that frees. A file that is kept under another name as well frees none.
    pub bytes: u64,
    /// When it was decided.
    pub decided: Timestamp,
    /// When it was done; none while that is under way.
    pub removed: Option<Timestamp>,
}
