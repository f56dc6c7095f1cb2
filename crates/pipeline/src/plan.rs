//! Roots of a change, and the ground they stand on -> the immutable plan.

pub mod merge;
pub mod report;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::Severity;
use model::id::{BuildId, EventId, PlanId};
use model::plan::{Plan, PlanEdge, PlannedStep, RootAction, StepIndex, Unit};
use model::reason::{Reason, Stop, StopReason, gravest};
use model::source::Settings;
use model::step::{Step, StepState};

use crate::affected::listen::listening;
use crate::graph::{Graph, NamedEdge};
use crate::schedule::{Work, predict_duration};

/// An artifact at which a change starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Which artifact.
    pub artifact: ArtifactKey,
    /// From which commit.
    pub commit: CommitId,
    /// What to do with it.
    pub action: RootAction,
    /// Why.
    pub reason: Reason,
    /// How grave the cause is.
    pub severity: Severity,
    /// The event behind it.
    pub event: EventId,
}

/// What a plan is to be made for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The plan's id.
    pub id: PlanId,
    /// The plan it goes on with.
    pub parent: Option<PlanId>,
    /// The branch.
    pub branch: BranchName,
    /// When.
    pub created: Timestamp,
    /// When the first plan it was merged from was made.
    pub origin: Timestamp,
    /// When it may start.
    pub start: Timestamp,
    /// Where the change starts, one root for each artifact.
    pub roots: Vec<Root>,
}

/// The published build of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The build.
    pub build: BuildId,
    /// The commit it was built from.
    pub commit: CommitId,
}

/// What a plan stands on: facts of the moment at which it is made.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// The edges between the artifacts that the roots reach; more do no harm.
    pub edges: Vec<Edge>,
    /// What is published.
    pub published: HashMap<ArtifactKey, Published>,
    /// What artifacts ask for in `millstream.toml`.
    pub settings: HashMap<ArtifactKey, Settings>,
    /// The artifacts that are left out, and why.
    pub left_out: HashMap<ArtifactKey, StopReason>,
    /// How long a rebuild takes, from history.
    pub durations: HashMap<ArtifactKey, Duration>,
}

/// What planning is set up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many rounds a cycle may take.
    pub max_rounds: u32,
    /// How many builds run at once.
    pub capacity: usize,
    /// How long a rebuild without history is thought to take.
    pub default_duration: Duration,
}

/// Makes the plan. It has a step for each root and for each artifact that a root reaches and that is published.
pub fn make(request: Request, ground: &Ground, rules: &Rules) -> Plan {
    let (reached, stops) = reach(&request.roots, ground);
    let layout = Layout::of(&reached, ground);
    let steps = steps(&layout, &reached, &request.roots, ground, rules);
    let units = units(&layout, &steps, ground, rules);
    let edges = plan_edges(&layout, ground);
    let durations: Vec<Duration> = steps.iter().map(|step| step.predicted).collect();
    let work = Work { units: &units, edges: &edges, durations: &durations };
    let predicted = predict_duration(&work, rules.capacity);
    let mut events: Vec<EventId> = request.roots.iter().map(|root| root.event).collect();
    events.sort_unstable();
    events.dedup();
    Plan {
        id: request.id,
        parent: request.parent,
        branch: request.branch,
        events,
        severity: gravest(request.roots.iter().map(|root| root.severity)),
        created: request.created,
        origin: request.origin,
        start: request.start,
        steps,
        units,
        edges,
        stops,
        predicted,
    }
}

/// The steps of a new plan as they stand at first.
pub fn first_steps(plan: &Plan) -> Vec<Step> {
    let first = |(index, planned): (StepIndex, &PlannedStep)| Step {
        plan: plan.id,
        index,
        state: match planned.root {
            Some(RootAction::Rebuild) => StepState::Rebuild,
            Some(RootAction::Retest) => StepState::Retest,
            None => StepState::Waiting,
        },
        reason: planned.reason.clone(),
        round: 1,
        previous: None,
        since: plan.created,
        version: 0,
    };
    plan.steps.iter().enumerate().map(first).collect()
}

/// Walks from the roots to everything that may follow. Each is reached by the edge that came first.
fn reach(roots: &[Root], ground: &Ground) -> (BTreeMap<ArtifactKey, Reason>, Vec<Stop>) {
    let mut dependents: HashMap<&ArtifactKey, Vec<&Edge>> = HashMap::new();
    for edge in &ground.edges {
        dependents.entry(&edge.dependency).or_default().push(edge);
    }
    let mut reached: BTreeMap<ArtifactKey, Reason> =
        roots.iter().map(|root| (root.artifact.clone(), root.reason.clone())).collect();
    let rebuilt = roots.iter().filter(|root| root.action == RootAction::Rebuild);
    let mut open: Vec<&ArtifactKey> = rebuilt.map(|root| &root.artifact).collect();
    let mut stops = Vec::new();
    while !open.is_empty() {
        let mut next = Vec::new();
        for edge in open.iter().flat_map(|at| dependents.get(at).map_or(&[][..], Vec::as_slice)) {
            if reached.contains_key(&edge.dependent) {
                continue;
            }
            if let Some(because) = left_out(&edge.dependent, ground) {
                stops.push(Stop { edge: (*edge).clone(), because });
                continue;
            }
            reached.insert(edge.dependent.clone(), Reason::Reached { edge: (*edge).clone() });
            next.push(&edge.dependent);
        }
        open = next;
    }
    stops.sort_by(|a, b| a.edge.cmp(&b.edge));
    stops.dedup();
    (reached, stops)
}

fn left_out(artifact: &ArtifactKey, ground: &Ground) -> Option<StopReason> {
    let never = || (!ground.published.contains_key(artifact)).then_some(StopReason::NeverPublished);
    ground.left_out.get(artifact).cloned().or_else(never)
}

/// Where each artifact stands in the plan: by tier, then by key.
struct Layout {
    order: Vec<ArtifactKey>,
    index: HashMap<ArtifactKey, StepIndex>,
    /// Tier and members of each component, dependencies first.
    components: Vec<(u32, Vec<StepIndex>)>,
}

impl Layout {
    fn of(reached: &BTreeMap<ArtifactKey, Reason>, ground: &Ground) -> Self {
        let inside = |edge: &&Edge| {
            reached.contains_key(&edge.dependent) && reached.contains_key(&edge.dependency)
        };
        let graph = Graph::from_edges(ground.edges.iter().filter(inside).map(NamedEdge::from));
        let mut components: Vec<(u32, Vec<ArtifactKey>)> = graph
            .components(graph.nodes(), |_| true)
            .into_iter()
            .map(|component| {
                (
                    component.tier,
                    component.members.iter().map(|&node| graph.key(node).clone()).collect(),
                )
            })
            .collect();
        let alone = reached.keys().filter(|key| graph.node(key).is_none());
        components.extend(alone.map(|key| (0, vec![key.clone()])));
        components.sort();
        let order: Vec<ArtifactKey> =
            components.iter().flat_map(|(_, members)| members.clone()).collect();
        let index: HashMap<ArtifactKey, StepIndex> =
            order.iter().enumerate().map(|(index, key)| (key.clone(), index)).collect();
        let components = components
            .into_iter()
            .map(|(tier, members)| (tier, members.iter().map(|key| index[key]).collect()))
            .collect();
        Self { order, index, components }
    }
}

fn steps(
    layout: &Layout,
    reached: &BTreeMap<ArtifactKey, Reason>,
    roots: &[Root],
    ground: &Ground,
    rules: &Rules,
) -> Vec<PlannedStep> {
    let roots: HashMap<&ArtifactKey, &Root> =
        roots.iter().map(|root| (&root.artifact, root)).collect();
    let mut place = vec![(0, 0); layout.order.len()];
    for (unit, (tier, members)) in layout.components.iter().enumerate() {
        for &member in members {
            place[member] = (*tier, unit);
        }
    }
    let step = |(artifact, (tier, unit)): (&ArtifactKey, (u32, usize))| {
        let root = roots.get(artifact);
        let published = ground.published.get(artifact);
        let commit =
            root.map(|root| &root.commit).or(published.map(|published| &published.commit))?;
        Some(PlannedStep {
            artifact: artifact.clone(),
            commit: commit.clone(),
            root: root.map(|root| root.action),
            reason: reached[artifact].clone(),
            replaces: published.map(|published| published.build),
            tier,
            unit,
            predicted: ground.durations.get(artifact).copied().unwrap_or(rules.default_duration),
        })
    };
    layout.order.iter().zip(place).filter_map(step).collect()
}

/// A cycle starts with the member that has a bootstrap flavour if it is needed, then with what changed.
fn units(layout: &Layout, steps: &[PlannedStep], ground: &Ground, rules: &Rules) -> Vec<Unit> {
    let rank = |&index: &StepIndex| {
        let step = &steps[index];
        let settings = ground.settings.get(&step.artifact);
        let bootstraps = step.replaces.is_none()
            && settings.is_some_and(|settings| settings.bootstrap.is_some());
        (!bootstraps, step.root.is_none(), index)
    };
    let unit = |(_, members): &(u32, Vec<StepIndex>)| {
        let mut members = members.clone();
        members.sort_by_key(rank);
        let max_rounds = if members.len() > 1 { rules.max_rounds } else { 1 };
        Unit { members, max_rounds }
    };
    layout.components.iter().map(unit).collect()
}

fn plan_edges(layout: &Layout, ground: &Ground) -> Vec<PlanEdge> {
    let none = Settings::default();
    let plan_edge = |edge: &Edge| {
        let (dependent, dependency) =
            (*layout.index.get(&edge.dependent)?, *layout.index.get(&edge.dependency)?);
        let settings = ground.settings.get(&edge.dependent).unwrap_or(&none);
        let listens = listening(edge.kind, &edge.package, settings);
        (dependent != dependency).then(|| PlanEdge {
            dependent,
            dependency,
            edge: edge.clone(),
            listens,
        })
    };
    let mut seen = HashSet::new();
    let mut edges: Vec<PlanEdge> = ground
        .edges
        .iter()
        .filter_map(plan_edge)
        .filter(|edge| seen.insert((edge.dependent, edge.dependency, role(&edge.edge))))
        .collect();
    edges.sort_by(|a, b| {
        (a.dependent, a.dependency, &a.edge).cmp(&(b.dependent, b.dependency, &b.edge))
    });
    edges
}

/// What tells two edges between the same steps apart; that a library is required for three symbols is one edge.
fn role(edge: &Edge) -> (EdgeKind, String, Option<String>) {
    let requiring = match &edge.evidence {
        Evidence::Requires { package, .. } => Some(package.clone()),
        Evidence::Spec { .. } | Evidence::Buildroot { .. } => None,
    };
    (edge.kind, edge.package.clone(), requiring)
}
