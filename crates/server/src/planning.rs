//! Roots -> a plan with everything it stands on, merged with what is under way. Reads only; whoever asks stores it or not.

pub(crate) mod proposals;
mod routes;

use std::collections::{BTreeSet, HashMap};

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::edge::Edge;
use model::hold::HoldKind;
use model::id::{EventId, PlanId};
use model::plan::{NumberedPlan, Plan};
use model::reason::StopReason;
use model::rule::{Approval, PlanMode};
use model::source::{Settings, Source, SourceContent};
use model::step::Step;
use pipeline::plan::merge::{Debounce, one_each, start, unfinished};
use pipeline::plan::{Ground, Published, Request, Root, Setup, make};
use pipeline::rules::limits::Bounds;
use pipeline::rules::passage::Route;
use store::{builds, edges, holds, plans, refs, sources, steps};

use crate::clock::mint;
use crate::context::Context;
use crate::reconcile::StageError;

/// A plan that is not stored yet, with the plans it goes on with.
pub(crate) struct Draft {
    /// The plan.
    pub(crate) plan: Plan,
    /// The plans that end with it, and their steps.
    pub(crate) merged: Vec<(NumberedPlan, Vec<Step>)>,
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Where the change starts.
    pub(crate) roots: Vec<Root>,
    /// How long it waits for more of the same.
    pub(crate) debounce: Debounce,
    /// What it is made for.
    pub(crate) mode: PlanMode,
    /// Who allowed it to touch more than a rule does.
    pub(crate) approval: Option<Approval>,
    /// Plans it goes on with, beside those it meets.
    pub(crate) goes_on_with: Vec<(NumberedPlan, Vec<Step>)>,
}

impl Wish {
    /// A change that really starts at these roots.
    pub(crate) fn of(context: &Context, roots: Vec<Root>) -> Self {
        let planning = &context.config.planning;
        let (quiet, at_most) = (planning.debounce_seconds, planning.debounce_at_most_seconds);
        let debounce = Debounce { quiet, at_most };
        let (mode, approval, goes_on_with) = (PlanMode::Real, None, Vec::new());
        Self { roots, debounce, mode, approval, goes_on_with }
    }

    /// Its debounce by the rules that match its events: that of the event that waits least.
    pub(crate) fn bounded(self, bounds: &HashMap<EventId, Bounds>) -> Self {
        let default = self.debounce;
        let of_event = |root: &Root| {
            let bounds = bounds.get(&root.event);
            Debounce {
                quiet: bounds.and_then(|bounds| bounds.debounce).unwrap_or(default.quiet),
                at_most: bounds
                    .and_then(|bounds| bounds.debounce_at_most.max(bounds.debounce))
                    .unwrap_or(default.at_most),
            }
        };
        let debounces = self.roots.iter().map(of_event);
        let debounce = debounces.min_by_key(|debounce| debounce.quiet).unwrap_or(default);
        Self { debounce, ..self }
    }
}

/// What is taken for true although it is not stored, as of a working tree.
#[derive(Debug, Default)]
pub(crate) struct Supposed {
    /// How far the changes behind events go that are not stored, or are not asked of the rules again.
    pub(crate) routes: HashMap<EventId, Route>,
    /// The edges its spec asks for; they take the place of those its spec asked for before.
    pub(crate) edges: Vec<Edge>,
    /// What its `millstream.toml` asks for.
    pub(crate) settings: HashMap<ArtifactKey, Settings>,
}

/// Makes a plan for each group of roots on one branch. The facts are gathered once for all of them.
///
/// Groups that meet a plan under way are given back as they are: each has to be planned by itself, by [`draft`], after
/// the one before it is stored.
pub(crate) async fn drafts(
    context: &Context,
    branch: &BranchName,
    groups: Vec<Wish>,
) -> Result<(Vec<(Draft, Vec<Root>)>, Vec<Wish>), StageError> {
    let all: Vec<Root> = groups.iter().flat_map(|wish| wish.roots.iter().cloned()).collect();
    let supposed = Supposed::default();
    let around = Around::find(context, &all, &all, &supposed).await?;
    let ground = ground(context, branch, (&all, around.reached), &supposed).await?;
    let routes = routes::routes(context, &all, &supposed.routes).await?;
    let plan = |wish: &Wish| {
        let roots = one_each(wish.roots.iter().cloned());
        planned(context, request(context, branch, (wish, roots, &routes), &[]), &ground)
    };
    let plans: Vec<Plan> = groups.iter().map(plan).collect();
    let needed = around.needed;
    let touched: Vec<ArtifactKey> =
        plans.iter().flat_map(artifacts).chain(needed.values().flatten().cloned()).collect();
    let met: BTreeSet<ArtifactKey> = overlapping(context, branch, &touched, &[])
        .await?
        .iter()
        .flat_map(|(plan, _)| artifacts(&plan.plan))
        .collect();
    let (mut apart, mut meeting) = (Vec::new(), Vec::new());
    for (plan, wish) in plans.into_iter().zip(groups) {
        let mut needs = wish.roots.iter().filter_map(|root| needed.get(&root.artifact)).flatten();
        if artifacts(&plan).any(|step| met.contains(&step)) || needs.any(|need| met.contains(need))
        {
            meeting.push(wish);
        } else {
            apart.push((Draft { plan, merged: Vec::new() }, wish.roots));
        }
    }
    Ok((apart, meeting))
}

fn artifacts(plan: &Plan) -> impl Iterator<Item = ArtifactKey> {
    plan.steps.iter().map(|step| step.artifact.clone())
}

/// Makes a plan for roots on one branch, merged with every plan it meets. `supposed` is what is not stored.
pub(crate) async fn draft(
    context: &Context,
    branch: &BranchName,
    mut wish: Wish,
    supposed: &Supposed,
) -> Result<Draft, StageError> {
    let mut merged = std::mem::take(&mut wish.goes_on_with);
    loop {
        let carried = merged.iter().flat_map(|(plan, steps)| unfinished(&plan.plan, steps));
        let all = one_each(carried.chain(wish.roots.iter().cloned()));
        let around = Around::find(context, &all, &wish.roots, supposed).await?;
        let ground = ground(context, branch, (&all, around.reached), supposed).await?;
        let routes = routes::routes(context, &all, &supposed.routes).await?;
        let request = request(context, branch, (&wish, all, &routes), &merged);
        let plan = planned(context, request, &ground);
        let mut touched: Vec<ArtifactKey> = artifacts(&plan).collect();
        touched.extend(around.needed.into_values().flatten());
        touched.extend(supposed.edges.iter().map(|edge| edge.dependency.clone()));
        let more = overlapping(context, branch, &touched, &merged).await?;
        if more.is_empty() {
            return Ok(Draft { plan, merged });
        }
        merged.extend(more);
        merged.sort_by_key(|(plan, _)| plan.number);
    }
}

/// Makes a plan that meets nobody: one that does not start as it is.
pub(crate) async fn alone(
    context: &Context,
    branch: &BranchName,
    wish: Wish,
    supposed: &Supposed,
) -> Result<Plan, StageError> {
    let roots = one_each(wish.roots.iter().cloned());
    let around = Around::find(context, &roots, &[], supposed).await?;
    let ground = ground(context, branch, (&roots, around.reached), supposed).await?;
    let routes = routes::routes(context, &roots, &supposed.routes).await?;
    let request = request(context, branch, (&wish, roots, &routes), &[]);
    Ok(planned(context, request, &ground))
}

fn request(
    context: &Context,
    branch: &BranchName,
    (wish, roots, routes): (&Wish, Vec<Root>, &HashMap<EventId, Route>),
    merged: &[(NumberedPlan, Vec<Step>)],
) -> Request {
    let now = context.clock.now();
    let parents: Vec<&Plan> = merged.iter().map(|(plan, _)| &plan.plan).collect();
    let origin = parents.iter().map(|plan| plan.origin).min().unwrap_or(now);
    let severity = model::reason::gravest(roots.iter().map(|root| root.severity));
    let inherited = || parents.iter().rev().find_map(|plan| plan.approval.clone());
    Request {
        id: mint::<PlanId>(),
        parent: parents.last().map(|plan| plan.id),
        branch: branch.clone(),
        created: now,
        origin,
        start: start(now, origin, severity, &parents, wish.debounce),
        mode: wish.mode.clone(),
        approval: wish.approval.clone().or_else(inherited),
        roots,
        routes: routes.clone(),
    }
}

/// Makes the plan.
fn planned(context: &Context, request: Request, ground: &Ground) -> Plan {
    let mut plan = make(request, ground, &setup(context));
    // What others built stands for a published build in shadow mode; there is nothing to compare with.
    let unknown = |build: &model::id::BuildId| build.0.is_nil();
    plan.steps.iter_mut().for_each(|step| step.replaces = step.replaces.filter(|it| !unknown(it)));
    if context.config.shadow.enabled && plan.mode == PlanMode::Real {
        plan.mode = PlanMode::Shadow;
    }
    plan
}

fn setup(context: &Context) -> Setup {
    Setup {
        max_rounds: context.config.planning.max_rounds,
        capacity: context.config.build.capacity,
        default_duration: context.config.planning.default_build_seconds,
    }
}

async fn overlapping(
    context: &Context,
    branch: &BranchName,
    touched: &[ArtifactKey],
    merged: &[(NumberedPlan, Vec<Step>)],
) -> Result<Vec<(NumberedPlan, Vec<Step>)>, StageError> {
    // What never starts takes over nothing.
    if context.config.shadow.enabled {
        return Ok(Vec::new());
    }
    let mut reader = context.store.read().await?;
    let mut found = Vec::new();
    for head in plans::open_touching(&mut reader, touched).await? {
        let known = merged.iter().any(|(merged, _)| merged.plan.id == head.id);
        if known || head.branch != *branch {
            continue;
        }
        if let Some(mut plan) = plans::get(&mut reader, head.id).await? {
            // A person may have brought it forward.
            plan.plan.start = head.start;
            let steps = steps::of_plan(&mut reader, head.id).await?;
            found.push((plan, steps));
        }
    }
    Ok(found)
}

/// Gathers the facts a plan for these roots stands on.
async fn ground(
    context: &Context,
    branch: &BranchName,
    (roots, keys): (&[Root], Vec<ArtifactKey>),
    supposed: &Supposed,
) -> Result<Ground, StageError> {
    let published = context.published.current(&context.store, branch).await?;
    let mut reader = context.store.read().await?;
    let stored = edges::between(&mut reader, &keys).await?;
    let replaced: BTreeSet<&ArtifactKey> =
        supposed.edges.iter().map(|edge| &edge.dependent).collect();
    let kept = stored.into_iter().map(|stored| stored.edge).filter(|edge| {
        let is_spec = matches!(edge.evidence, model::edge::Evidence::Spec { .. });
        !(is_spec && replaced.contains(&edge.dependent))
    });
    let mut ground = Ground {
        edges: kept.chain(supposed.edges.iter().cloned()).collect(),
        durations: builds::median_durations(&mut reader, &keys).await?.into_iter().collect(),
        left_out: left_out(context, &mut reader, &keys).await?,
        ..Ground::default()
    };
    ground.settings.extend(supposed.settings.clone());
    ground.published = built_by_others(context, &mut reader, &keys).await?;
    let published = keys.iter().filter_map(|key| published.published.get_key_value(key));
    ground.published.extend(published.map(|(key, entry)| (key.clone(), entry.clone())));
    let mut commits: HashMap<&ArtifactKey, &CommitId> =
        ground.published.iter().map(|(key, entry)| (key, &entry.commit)).collect();
    commits.extend(roots.iter().map(|root| (&root.artifact, &root.commit)));
    let commits: Vec<(ArtifactKey, CommitId)> =
        commits.into_iter().map(|(key, commit)| (key.clone(), commit.clone())).collect();
    for source in sources::get_many(&mut reader, &commits).await? {
        if let Ok(content) = source.content {
            ground.settings.entry(source.artifact).or_insert(content.settings);
        }
    }
    Ok(ground)
}

/// In shadow mode others build, and what they do not tell is taken for granted: every branch was built from its tip.
async fn built_by_others(
    context: &Context,
    reader: &mut store::Conn,
    keys: &[ArtifactKey],
) -> Result<HashMap<ArtifactKey, Published>, StageError> {
    if !context.config.shadow.enabled {
        return Ok(HashMap::new());
    }
    let build = uuid::Uuid::nil().into();
    let tips = refs::tips_of(reader, keys).await?.into_iter();
    let published =
        tips.filter_map(|tip| Some((tip.artifact, Published { build, commit: tip.commit? })));
    Ok(published.collect())
}

/// What the graph says about roots.
struct Around {
    /// Everything they reach, the roots included; sorted.
    reached: Vec<ArtifactKey>,
    /// What each needs directly. A plan that has one of these under way left the root out, frozen as it was; now that
    /// it is to be built after all, it has to see that plan's outputs.
    needed: HashMap<ArtifactKey, Vec<ArtifactKey>>,
}

impl Around {
    /// What `roots` reach, and what `starts` need, in one state of the graph.
    async fn find(
        context: &Context,
        roots: &[Root],
        starts: &[Root],
        supposed: &Supposed,
    ) -> Result<Self, StageError> {
        let mut cache = context.graph.lock().await;
        let graph = cache.current(&context.store).await?;
        let nodes: Vec<_> = roots.iter().filter_map(|root| graph.node(&root.artifact)).collect();
        let found = graph.reach(&nodes, |_| true);
        let mut reached: BTreeSet<ArtifactKey> =
            found.nodes().map(|node| graph.key(node).clone()).collect();
        reached.extend(roots.iter().map(|root| root.artifact.clone()));
        reached.extend(supposed.edges.iter().map(|edge| edge.dependent.clone()));
        let needs = |node| graph.dependencies(node).map(|edge| graph.key(edge.dependency).clone());
        let needed = starts.iter().filter_map(|root| {
            Some((root.artifact.clone(), needs(graph.node(&root.artifact)?).collect()))
        });
        Ok(Self { needed: needed.collect(), reached: reached.into_iter().collect() })
    }
}

/// Frozen artifacts, and those whose branch is gone.
async fn left_out(
    context: &Context,
    reader: &mut store::Conn,
    keys: &[ArtifactKey],
) -> Result<HashMap<ArtifactKey, StopReason>, StageError> {
    let mut left_out = HashMap::new();
    for hold in holds::in_force(reader, context.clock.now()).await? {
        if hold.kind == HoldKind::Freeze {
            let because = StopReason::Frozen { author: hold.author, reason: hold.reason };
            left_out.insert(hold.artifact, because);
        }
    }
    for tip in refs::tips_of(reader, keys).await? {
        if tip.commit.is_none() {
            left_out.insert(tip.artifact, StopReason::Retired);
        }
    }
    Ok(left_out)
}

impl Context {
    /// What a commit says, if it was read before.
    pub(crate) async fn source(
        &self,
        artifact: &ArtifactKey,
        commit: &CommitId,
    ) -> Result<Option<Source>, StageError> {
        let mut reader = self.store.read().await?;
        Ok(sources::get(&mut reader, artifact, commit).await?)
    }

    /// What a commit says, if it could be read.
    pub(crate) async fn content(
        &self,
        artifact: &ArtifactKey,
        commit: &CommitId,
    ) -> Result<Option<SourceContent>, StageError> {
        Ok(self.source(artifact, commit).await?.and_then(|source| source.content.ok()))
    }
}
