//! Plans: the immutable answer to events.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, BranchName, CommitId};
use crate::clock::Timestamp;
use crate::edge::Edge;
use crate::event::Severity;
use crate::id::{BuildId, EventId, PlanId};
use crate::reason::{Reason, Stop};
use crate::rule::{Approval, Hours, PlanMode, RuleId};

/// The immutable answer to events. What happens to it is on its steps; a merge makes a new plan with a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// The plan this one was merged from, and whose unfinished work it goes on with.
    pub parent: Option<PlanId>,
    /// The branch it works on: plans never cross branches.
    pub branch: BranchName,
    /// The events it answers.
    pub events: Vec<EventId>,
    /// What it is made for.
    #[serde(default)]
    pub mode: PlanMode,
    /// Who allowed it, if it or a plan it goes on with touches more than a rule allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The gravest of its causes.
    pub severity: Severity,
    /// When it was made.
    pub created: Timestamp,
    /// When the first plan it was merged from was made; bounds how long debouncing may delay it.
    pub origin: Timestamp,
    /// When it may start: later than `created` while it waits for more of the same.
    pub start: Timestamp,
    /// The artifacts to look at; their order is the order of `StepIndex`.
    pub steps: Vec<PlannedStep>,
    /// Steps that stand or fall together, dependencies first. Most have one member; more are a cycle.
    pub units: Vec<Unit>,
    /// Which step needs which, and how, sorted by dependent and dependency.
    pub edges: Vec<PlanEdge>,
    /// The edges at which the change stopped when the plan was made.
    pub stops: Vec<Stop>,
    /// How long it is expected to take if every step is needed.
    pub predicted: Duration,
}

impl Plan {
    /// The edges to what a step needs.
    pub fn dependencies(&self, dependent: StepIndex) -> &[PlanEdge] {
        let from = self.edges.partition_point(|edge| edge.dependent < dependent);
        let to = self.edges.partition_point(|edge| edge.dependent <= dependent);
        &self.edges[from..to]
    }

    /// The step of an artifact, if the plan has one.
    pub fn step_of(&self, artifact: &ArtifactKey) -> Option<StepIndex> {
        self.steps.iter().position(|step| step.artifact == *artifact)
    }
}

/// A step's position in its plan.
pub type StepIndex = usize;

/// One artifact's rebuild or retest inside a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Which artifact.
    pub artifact: ArtifactKey,
    /// From which commit, should it be rebuilt.
    pub commit: CommitId,
    /// What is done whatever the dependencies change; a step without depends on them.
    pub root: Option<RootAction>,
    /// The reason it is here.
    pub reason: Reason,
    /// The rule that let it in; none in plans that are older than rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The hours in which its build may start; any if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// When those hours first open after the plan may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The build that was published when the plan was made; changes are compared with it.
    pub replaces: Option<BuildId>,
    /// The step's dependencies are all in earlier tiers. A way to read the plan, never a barrier.
    pub tier: u32,
    /// Its unit.
    pub unit: usize,
    /// How long its rebuild is expected to take, from the artifact's history.
    pub predicted: Duration,
}

impl PlannedStep {
    /// Whether its build may start as far as the hours go.
    pub fn may_start(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|earliest| earliest <= now)
            && self.hours.is_none_or(|hours| hours.contains(now))
    }
}

/// What the root of a change asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootAction {
    /// Build it.
    Rebuild,
    /// Test it.
    Retest,
}

/// Steps that stand or fall together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The members, in the order in which they are built.
    pub members: Vec<StepIndex>,
    /// How many rounds a cycle may take to settle.
    pub max_rounds: u32,
}

impl Unit {
    /// Whether it is a cycle.
    pub fn is_cycle(&self) -> bool {
        self.members.len() > 1
    }
}

/// An edge between two steps of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEdge {
    /// The step that needs.
    pub dependent: StepIndex,
    /// The step that is needed.
    pub dependency: StepIndex,
    /// The edge itself.
    pub edge: Edge,
    /// The facets whose change means a rebuild of the dependent.
    pub listens: Vec<Listening>,
}

/// A facet an edge listens to, and how closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The facet.
    pub facet: crate::facet::Facet,
    /// Whether lines that are only added count as a change.
    pub additions: bool,
}

/// A stored plan with its public number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedPlan {
    /// Its public number, in the order of making.
    pub number: i64,
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
}
