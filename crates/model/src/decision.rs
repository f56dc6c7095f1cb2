//! Decisions: the ledger's lines, each with its reason.

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactKey;
use crate::clock::Timestamp;
use crate::id::{EventId, PlanId};

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// An event was rejected.
    Rejected,
    /// An event asks for no plan.
    Ignored,
    /// A plan was made.
    Planned,
    /// A plan was merged into another.
    Merged,
    /// A step is rebuilt.
    Rebuild,
    /// A step is retested.
    Retest,
    /// A step is left alone.
    Unneeded,
    /// A change stopped at an edge.
    Stopped,
    /// A build was started, or an earlier one with the same inputs is used.
    Build,
    /// A build or a test run failed.
    Failed,
    /// A gate opened.
    Passed,
    /// A gate refused.
    Held,
    /// A group was published.
    Published,
    /// A group could not be published, or waits for others.
    PublishRefused,
    /// A rule wants people to know of an event; its detail names the rule.
    Notify,
    /// A plan touches more than a rule allows: it waits for a person.
    Proposed,
    /// A person intervened: retry, cancel, waiver, sign-off, freeze, hold.
    Intervened,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// When.
    pub at: Timestamp,
    /// On account of which event.
    pub event: Option<EventId>,
    /// In which plan.
    pub plan: Option<PlanId>,
    /// About which artifact.
    pub artifact: Option<ArtifactKey>,
    /// The reason as a sentence.
    pub sentence: String,
    /// The reason for machines: a serialised `Reason`, verdict or failure.
    pub detail: serde_json::Value,
}

/// A line of the ledger with its place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedDecision {
    /// Its place, in the order of deciding.
    pub number: i64,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}
