//! The states of a plan's steps, and which may follow which.

use serde::{Deserialize, Serialize};

use crate::build::Failure;
use crate::clock::Timestamp;
use crate::gate::Objection;
use crate::id::{BuildId, PlanId, TestRunId};
use crate::plan::StepIndex;
use crate::reason::Reason;

/// Where a step stands, with the facts of that state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StepState {
    /// What its dependencies change is not known yet.
    Waiting,
    /// It is left alone.
    Unneeded,
    /// It is to be rebuilt, once its own dependencies are through.
    Rebuild,
    /// A build is queued or running.
    Building {
        /// The build.
        build: BuildId,
    },
    /// It is built; its tests and its gate are open.
    Built {
        /// The build.
        build: BuildId,
    },
    /// Its gate is open: dependents may use it.
    Passed {
        /// The build.
        build: BuildId,
    },
    /// It is in the published repository.
    Published {
        /// The build.
        build: BuildId,
        /// The generation of the repository that brought it.
        generation: i64,
    },
    /// It could not be built.
    Failed {
        /// The build, if there was one.
        build: Option<BuildId>,
        /// What went wrong.
        failure: Failure,
    },
    /// Its gate refuses it.
    Held {
        /// The build.
        build: BuildId,
        /// What stands against it.
        objections: Vec<Objection>,
    },
    /// What is published of it is to be tested with the changed builds.
    Retest,
    /// Its tests are queued or running.
    Testing {
        /// The run.
        run: TestRunId,
    },
    /// It was tested; the gates of what changed read the results.
    Retested {
        /// The run that tested it.
        run: TestRunId,
    },
    /// Another plan goes on with it.
    Superseded {
        /// The plan that does.
        by: PlanId,
    },
    /// A person stopped it.
    Cancelled {
        /// Who.
        author: String,
        /// Why. A step has a `reason` of its own beside the fields of its state.
        #[serde(rename = "because", alias = "reason")]
        reason: String,
    },
}

/// A transition that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step that is {from} cannot become {to}")]
pub struct InvalidTransition {
    /// The state it is in.
    pub from: &'static str,
    /// The state it was to enter.
    pub to: &'static str,
}

impl StepState {
    /// The names of all states, in the order in which a step goes through them.
    pub const NAMES: [&'static str; 14] = [
        "waiting",
        "unneeded",
        "rebuild",
        "building",
        "built",
        "passed",
        "published",
        "failed",
        "held",
        "retest",
        "testing",
        "retested",
        "superseded",
        "cancelled",
    ];

    /// Its name in columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unneeded => "unneeded",
            Self::Rebuild => "rebuild",
            Self::Building { .. } => "building",
            Self::Built { .. } => "built",
            Self::Passed { .. } => "passed",
            Self::Published { .. } => "published",
            Self::Failed { .. } => "failed",
            Self::Held { .. } => "held",
            Self::Retest => "retest",
            Self::Testing { .. } => "testing",
            Self::Retested { .. } => "retested",
            Self::Superseded { .. } => "superseded",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Nothing happens to it any more, unless somebody intervenes or another plan takes it over.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Unneeded
            | Self::Published { .. }
            | Self::Retested { .. }
            | Self::Superseded { .. }
            | Self::Cancelled { .. } => true,
            Self::Waiting
            | Self::Rebuild
            | Self::Building { .. }
            | Self::Built { .. }
            | Self::Passed { .. }
            | Self::Failed { .. }
            | Self::Held { .. }
            | Self::Retest
            | Self::Testing { .. } => false,
        }
    }

    /// The build it is about, if there is one.
    pub fn build(&self) -> Option<BuildId> {
        match self {
            Self::Building { build }
            | Self::Built { build }
            | Self::Passed { build }
            | Self::Published { build, .. }
            | Self::Held { build, .. } => Some(*build),
            Self::Failed { build, .. } => *build,
            _ => None,
        }
    }

    /// The build whose outputs exist, whatever its gate says.
    pub fn outputs(&self) -> Option<BuildId> {
        match self {
            Self::Built { build }
            | Self::Passed { build }
            | Self::Published { build, .. }
            | Self::Held { build, .. } => Some(*build),
            _ => None,
        }
    }

    /// Enters `next`, if that may follow.
    ///
    /// # Errors
    /// [`InvalidTransition`] names both states.
    pub fn enter(&self, next: Self) -> Result<Self, InvalidTransition> {
        if self.may_become(&next) {
            Ok(next)
        } else {
            Err(InvalidTransition { from: self.name(), to: next.name() })
        }
    }

    fn may_become(&self, next: &Self) -> bool {
        use StepState as S;
        if matches!(next, S::Superseded { .. } | S::Cancelled { .. }) {
            return !matches!(
                self,
                S::Superseded { .. } | S::Cancelled { .. } | S::Published { .. }
            );
        }
        match self {
            S::Waiting => matches!(next, S::Unneeded | S::Rebuild | S::Retest),
            S::Rebuild => matches!(next, S::Building { .. } | S::Failed { .. }),
            S::Building { .. } => matches!(next, S::Built { .. } | S::Failed { .. } | S::Rebuild),
            // A member of a cycle goes back for another round; one gate may open or refuse.
            S::Built { .. } => matches!(next, S::Rebuild | S::Passed { .. } | S::Held { .. }),
            // A waiver, a better result or a retry opens what was held.
            S::Held { .. } => {
                matches!(next, S::Passed { .. } | S::Held { .. } | S::Built { .. } | S::Rebuild)
            }
            S::Passed { .. } => matches!(next, S::Published { .. }),
            S::Failed { .. } => matches!(next, S::Rebuild),
            S::Retest => matches!(next, S::Testing { .. } | S::Rebuild),
            S::Testing { .. } => matches!(next, S::Retested { .. } | S::Retest | S::Rebuild),
            // In a cycle, a later round may change what an earlier one left alone.
            S::Unneeded => matches!(next, S::Rebuild | S::Retest),
            S::Retested { .. } => matches!(next, S::Retest | S::Rebuild),
            S::Published { .. } | S::Superseded { .. } | S::Cancelled { .. } => false,
        }
    }
}

impl Step {
    /// The newest build whose outputs exist, an earlier round's while the next one is under way.
    pub fn newest_output(&self) -> Option<BuildId> {
        self.state.outputs().or(self.previous)
    }
}

/// A step as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its plan.
    pub plan: PlanId,
    /// Its position in the plan.
    pub index: StepIndex,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepState,
    /// Why it stands there: the plan's reason until it is decided, then the deciding one.
    pub reason: Reason,
    /// Which round of its cycle; 1 outside cycles.
    pub round: u32,
    /// What an earlier round of its cycle built, while the next one is under way.
    pub previous: Option<BuildId>,
    /// When it entered the state.
    pub since: Timestamp,
    /// Counts the changes; a stale writer is refused.
    pub version: i64,
}
