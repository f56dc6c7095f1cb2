//! Roots of a change, and the ground they stand on -> the immutable plan.

pub mod merge;
pub mod remaining;
pub mod report;

use std::collections::{HashMap, HashSet};
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
    let edges = plan_edges(layout, ground);
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
///
/// A test that is asked for waits for what the plan changes below it: a result with the old builds would say nothing
/// about the new ones.
pub fn first_steps(plan: &Plan) -> Vec<Step> {
    let first = |(index, planned): (StepIndex, &PlannedStep)| Step {
        plan: plan.id,
        index,
        state: match planned.root {
            Some(RootAction::Rebuild) => StepState::Rebuild,
            Some(RootAction::Retest) if plan.dependencies(index).is_empty() => StepState::Retest,
            Some(RootAction::Retest) | None => StepState::Waiting,
        },
        reason: planned.reason.clone(),
        round: 1,
        previous: None,
        since: plan.created,
        version: 0,
    };
    plan.steps.iter().enumerate().map(first).collect()
}

/// Why an artifact is in the plan, and from which commit it would be built.
struct Reached {
    reason: Reason,
    commit: CommitId,
}

/// Walks from the roots to everything that may follow. Each is reached by the edge that came first.
fn reach(roots: &[Root], ground: &Ground) -> (HashMap<ArtifactKey, Reached>, Vec<Stop>) {
    let mut dependents: HashMap<&ArtifactKey, Vec<&Edge>> = HashMap::new();
    for edge in &ground.edges {
        dependents.entry(&edge.dependency).or_default().push(edge);
    }
    let root = |root: &Root| {
        let (reason, commit) = (root.reason.clone(), root.commit.clone());
        (root.artifact.clone(), Reached { reason, commit })
    };
    let mut reached: HashMap<ArtifactKey, Reached> = roots.iter().map(root).collect();
    let rebuilt = roots.iter().filter(|root| action(root, ground) == RootAction::Rebuild);
    let mut open: Vec<&ArtifactKey> = rebuilt.map(|root| &root.artifact).collect();
    // A root that is only to be tested may have to be rebuilt like any other, with what that brings about.
    let mut passed: HashSet<&ArtifactKey> = open.iter().copied().collect();
    let mut stops = Vec::new();
    while !open.is_empty() {
        let mut next = Vec::new();
        for edge in open.iter().flat_map(|at| dependents.get(at).map_or(&[][..], Vec::as_slice)) {
            if passed.contains(&edge.dependent) {
                continue;
            }
            if !reached.contains_key(&edge.dependent) {
                match commit_of(&edge.dependent, ground) {
                    Ok(commit) => {
                        let reason = Reason::Reached { edge: (*edge).clone() };
                        reached.insert(edge.dependent.clone(), Reached { reason, commit });
                    }
                    Err(because) => {
                        stops.push(Stop { edge: (*edge).clone(), because });
                        continue;
                    }
                }
            }
            passed.insert(&edge.dependent);
            next.push(&edge.dependent);
        }
        open = next;
    }
    stops.sort_by(|a, b| a.edge.cmp(&b.edge));
    stops.dedup();
    (reached, stops)
}

/// What was never published cannot be tested as it is: it is built first.
fn action(root: &Root, ground: &Ground) -> RootAction {
    if ground.published.contains_key(&root.artifact) { root.action } else { RootAction::Rebuild }
}

/// The published commit of an artifact that may follow a change.
fn commit_of(artifact: &ArtifactKey, ground: &Ground) -> Result<CommitId, StopReason> {
    if let Some(because) = ground.left_out.get(artifact) {
        return Err(because.clone());
    }
    let published = ground.published.get(artifact);
    published.map(|published| published.commit.clone()).ok_or(StopReason::NeverPublished)
}

/// Where each artifact stands in the plan: by tier, then by key.
struct Layout<'a> {
    order: Vec<&'a ArtifactKey>,
    /// Tier and members of each component, dependencies first. Every index into `order` is in one of them.
    components: Vec<(u32, Vec<StepIndex>)>,
    /// The edges between two of them, with the dependent's and the dependency's place.
    edges: Vec<((StepIndex, StepIndex), &'a Edge)>,
}

impl<'a> Layout<'a> {
    fn of(reached: &'a HashMap<ArtifactKey, Reached>, ground: &'a Ground) -> Self {
        let mut keys: Vec<&ArtifactKey> = reached.keys().collect();
        keys.sort_unstable();
        let numbers: HashMap<&ArtifactKey, usize> =
            keys.iter().enumerate().map(|(number, key)| (*key, number)).collect();
        let ends = |edge: &Edge| {
            let ends = (*numbers.get(&edge.dependent)?, *numbers.get(&edge.dependency)?);
            (ends.0 != ends.1).then_some(ends)
        };
        let inside = ground.edges.iter().filter_map(|edge| Some((ends(edge)?, edge)));
        let mut edges: Vec<((usize, usize), &Edge)> = inside.collect();
        let mut components = components(&keys, &edges);
        components.sort_unstable();

        let order: Vec<usize> =
            components.iter().flat_map(|(_, members)| members.clone()).collect();
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, number)| places[*number] = place);
        for (_, members) in &mut components {
            members.iter_mut().for_each(|member| *member = places[*member]);
        }
        for ((dependent, dependency), _) in &mut edges {
            (*dependent, *dependency) = (places[*dependent], places[*dependency]);
        }
        Self { order: order.into_iter().map(|number| keys[number]).collect(), components, edges }
    }
}

/// Tier and members of each strongly connected component, as positions in `keys`, which are sorted.
fn components(keys: &[&ArtifactKey], edges: &[((usize, usize), &Edge)]) -> Vec<(u32, Vec<usize>)> {
    // One edge for each pair is enough here.
    let mut pairs: Vec<(usize, usize)> = edges.iter().map(|(ends, _)| *ends).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let edge = |(dependent, dependency): (usize, usize)| NamedEdge {
        dependent: keys[dependent],
        dependency: keys[dependency],
        kind: EdgeKind::Buildroot,
        package: "",
    };
    let graph = Graph::from_edges(pairs.into_iter().map(edge));
    let number = |key: &ArtifactKey| keys.partition_point(|known| *known < key);
    let found = graph.components(graph.nodes(), |_| true).into_iter().map(|component| {
        let members = component.members.iter().map(|&node| number(graph.key(node)));
        (component.tier, members.collect())
    });
    let alone = (0..keys.len()).filter(|&number| graph.node(keys[number]).is_none());
    found.chain(alone.map(|number| (0, vec![number]))).collect()
}

fn steps(
    layout: &Layout<'_>,
    reached: &HashMap<ArtifactKey, Reached>,
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
    let step = |(&artifact, (tier, unit)): (&&ArtifactKey, (u32, usize))| {
        let Reached { reason, commit } = &reached[artifact];
        PlannedStep {
            artifact: artifact.clone(),
            commit: commit.clone(),
            root: roots.get(artifact).map(|root| action(root, ground)),
            reason: reason.clone(),
            replaces: ground.published.get(artifact).map(|published| published.build),
            tier,
            unit,
            predicted: ground.durations.get(artifact).copied().unwrap_or(rules.default_duration),
        }
    };
    layout.order.iter().zip(place).map(step).collect()
}

/// A cycle starts with the member that has a bootstrap flavour if it is needed, then with what changed.
fn units(layout: &Layout<'_>, steps: &[PlannedStep], ground: &Ground, rules: &Rules) -> Vec<Unit> {
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

fn plan_edges(layout: Layout<'_>, ground: &Ground) -> Vec<PlanEdge> {
    let none = Settings::default();
    let mut inside = layout.edges;
    // Edges with the same role come together, so that the same one is kept every time.
    inside.sort_unstable_by_key(|(ends, edge)| (*ends, role(edge), &edge.evidence));
    inside.dedup_by_key(|(ends, edge)| (*ends, role(edge)));
    let plan_edge = |((dependent, dependency), edge): ((StepIndex, StepIndex), &Edge)| {
        let settings = ground.settings.get(&edge.dependent).unwrap_or(&none);
        let listens = listening(edge.kind, &edge.package, settings);
        PlanEdge { dependent, dependency, edge: edge.clone(), listens }
    };
    inside.into_iter().map(plan_edge).collect()
}

/// What tells two edges between the same steps apart; that a library is required for three symbols is one edge.
fn role(edge: &Edge) -> (EdgeKind, &str, Option<&str>) {
    let requiring = match &edge.evidence {
        Evidence::Requires { package, .. } => Some(package.as_str()),
        Evidence::Spec { .. } | Evidence::Buildroot { .. } | Evidence::Contents { .. } => None,
    };
    (edge.kind, &edge.package, requiring)
}
