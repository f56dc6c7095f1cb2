//! Roots of a change, and the ground they stand on -> the immutable plan.

pub mod before;
pub mod merge;
pub mod outlook;
mod reach;
pub mod remaining;
pub mod report;

use std::collections::HashMap;
use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::Severity;
use model::id::{BuildId, EventId, PlanId};
use model::plan::{Plan, PlanEdge, PlannedStep, RootAction, StepIndex, Unit};
use model::reason::{Reason, StopReason, gravest};
use model::rule::{Approval, Hours, PlanMode, RuleId};
use model::source::Settings;
use model::step::{Step, StepState};

use crate::affected::listen::listening;
use crate::graph::{Graph, NamedEdge};
use crate::rules::limits::Bounds;
use crate::rules::passage::Route;
use crate::schedule::{Work, predict_duration};
use reach::{Reach, Reached, reach};

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
    /// The rule that let it in.
    pub rule: Option<RuleId>,
    /// The hours in which its build may start.
    pub hours: Option<Hours>,
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
    /// What it is made for.
    pub mode: PlanMode,
    /// Who allowed it, if it or a plan it goes on with touches more than a rule allows.
    pub approval: Option<Approval>,
    /// Where the change starts, one root for each artifact.
    pub roots: Vec<Root>,
    /// How far the change that each event starts goes; it goes nowhere without a route.
    pub routes: HashMap<EventId, Route>,
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
pub struct Setup {
    /// How many rounds a cycle may take.
    pub max_rounds: u32,
    /// How many builds run at once.
    pub capacity: usize,
    /// How long a rebuild without history is thought to take.
    pub default_duration: Duration,
}

/// Makes the plan. It has a step for each root and for each artifact that a root reaches along edges that rules follow
/// and that is published.
pub fn make(request: Request, ground: &Ground, setup: &Setup) -> Plan {
    let reach = reach(&request, ground);
    let layout = Layout::of(&reach, ground);
    let steps = steps(&layout, &reach.reached, &request, ground, setup);
    let units = units(&layout, &steps, ground, setup);
    let edges = plan_edges(layout, ground);
    let durations: Vec<Duration> = steps.iter().map(|step| step.predicted).collect();
    let work = Work { units: &units, edges: &edges, durations: &durations };
    let predicted = predict_duration(&work, setup.capacity);
    let mut events: Vec<EventId> = request.roots.iter().map(|root| root.event).collect();
    events.sort_unstable();
    events.dedup();
    Plan {
        id: request.id,
        parent: request.parent,
        branch: request.branch,
        events,
        mode: request.mode,
        approval: request.approval,
        severity: gravest(request.roots.iter().map(|root| root.severity)),
        created: request.created,
        origin: request.origin,
        start: request.start,
        steps,
        units,
        edges,
        stops: reach.stops,
        predicted,
    }
}

/// What a plan is made for that has more steps than its rules allow without a person.
pub fn beyond(plan: &Plan, bounds: &Bounds) -> Option<PlanMode> {
    let (rule, limit) = bounds.size.as_ref()?;
    let proposed = || PlanMode::Proposed { rule: rule.clone(), limit: *limit };
    (plan.steps.len() > *limit).then(proposed)
}

/// The steps of a new plan as they stand at first.
///
/// A test that is asked for waits for what the plan changes below it: a result with the old builds would say nothing
/// about the new ones. The steps of a dry run, and those of shadow mode, are over before they begin.
pub fn first_steps(plan: &Plan) -> Vec<Step> {
    let first = |(index, planned): (StepIndex, &PlannedStep)| Step {
        plan: plan.id,
        index,
        state: match (&plan.mode, planned.root) {
            (PlanMode::DryRun { rules }, _) => {
                let names: Vec<&str> = rules.iter().map(RuleId::as_str).collect();
                never(format!("the dry run of {}", names.join(", ")), "they were real")
            }
            (PlanMode::Shadow, _) => never("shadow mode".to_owned(), "the server acted"),
            (_, Some(RootAction::Rebuild)) => StepState::Rebuild,
            (_, Some(RootAction::Retest)) if plan.dependencies(index).is_empty() => {
                StepState::Retest
            }
            (_, Some(RootAction::Retest) | None) => StepState::Waiting,
        },
        reason: planned.reason.clone(),
        round: 1,
        previous: None,
        since: plan.created,
        version: 0,
    };
    plan.steps.iter().enumerate().map(first).collect()
}

/// Over before it begins: nothing is left that could start later, and no later plan goes on with it.
fn never(author: String, condition: &str) -> StepState {
    let reason = format!("it shows what would be done if {condition}");
    StepState::Cancelled { author, reason }
}

/// What was never published cannot be tested as it is: it is built first.
fn action(root: &Root, ground: &Ground) -> RootAction {
    if ground.published.contains_key(&root.artifact) { root.action } else { RootAction::Rebuild }
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
    fn of(reach: &'a Reach, ground: &'a Ground) -> Self {
        let mut keys: Vec<&ArtifactKey> = reach.reached.keys().collect();
        keys.sort_unstable();
        let numbers: HashMap<&ArtifactKey, usize> =
            keys.iter().enumerate().map(|(number, key)| (*key, number)).collect();
        let ends = |edge: &Edge| {
            let ends = (*numbers.get(&edge.dependent)?, *numbers.get(&edge.dependency)?);
            (ends.0 != ends.1).then_some(ends)
        };
        let followed = ground.edges.iter().enumerate();
        let followed = followed.filter(|(index, _)| !reach.refused.contains(index));
        let inside = followed.filter_map(|(_, edge)| Some((ends(edge)?, edge)));
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
    request: &Request,
    ground: &Ground,
    setup: &Setup,
) -> Vec<PlannedStep> {
    let roots: HashMap<&ArtifactKey, &Root> =
        request.roots.iter().map(|root| (&root.artifact, root)).collect();
    let mut place = vec![(0, 0); layout.order.len()];
    for (unit, (tier, members)) in layout.components.iter().enumerate() {
        for &member in members {
            place[member] = (*tier, unit);
        }
    }
    let step = |(&artifact, (tier, unit)): (&&ArtifactKey, (u32, usize))| {
        let Reached { reason, commit, rule, hours, .. } = &reached[artifact];
        PlannedStep {
            artifact: artifact.clone(),
            commit: commit.clone(),
            root: roots.get(artifact).map(|root| action(root, ground)),
            reason: reason.clone(),
            rule: rule.clone(),
            hours: *hours,
            not_before: hours.map(|hours| hours.next_open(request.start)),
            replaces: ground.published.get(artifact).map(|published| published.build),
            tier,
            unit,
            predicted: ground.durations.get(artifact).copied().unwrap_or(setup.default_duration),
        }
    };
    layout.order.iter().zip(place).map(step).collect()
}

/// A cycle starts with the member that has a bootstrap flavour if it is needed, then with what changed.
fn units(layout: &Layout<'_>, steps: &[PlannedStep], ground: &Ground, setup: &Setup) -> Vec<Unit> {
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
        let max_rounds = if members.len() > 1 { setup.max_rounds } else { 1 };
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
