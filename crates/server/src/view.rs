//! A plan under way with everything its decisions need, loaded once for each look.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use model::artifact::ArtifactKey;
use model::decision::{Decision, DecisionKind};
use model::id::BuildId;
use model::plan::{NumberedPlan, Plan, StepIndex};
use model::reason::Reason;
use model::step::{Step, StepState};
use pipeline::facts::{BuildFacts, Facts};
use pipeline::progress::{self, Change, Progress};
use store::{Tx, plans, steps};

use crate::context::Context;
use crate::reconcile::StageError;

/// A plan as it stands, and what changes about it in this look.
pub(crate) struct View {
    pub(crate) plan: Plan,
    pub(crate) steps: Vec<Step>,
    pub(crate) facts: Facts,
    changed: BTreeSet<StepIndex>,
    decisions: Vec<Decision>,
}

/// Every open plan that may have started.
pub(crate) async fn started(context: &Context) -> Result<Vec<View>, StageError> {
    let heads = plans::started(&mut *context.store.read().await?, context.clock.now()).await?;
    let mut views = Vec::new();
    for head in heads {
        views.push(load(context, head.id).await?);
    }
    Ok(views)
}

/// One plan.
pub(crate) async fn load(context: &Context, plan: model::id::PlanId) -> Result<View, StageError> {
    let mut reader = context.store.snapshot().await?;
    let found = plans::get(&mut reader, plan).await?;
    let NumberedPlan { plan, .. } = found
        .ok_or_else(|| StageError::Outside(format!("plan {plan} is missing from the store")))?;
    let steps = steps::of_plan(&mut reader, plan.id).await?;
    drop(reader);
    let facts = facts(context, &plan, &steps).await?;
    Ok(View { plan, steps, facts, changed: BTreeSet::new(), decisions: Vec::new() })
}

/// The facts of every build the plan's decisions may compare: published, made, and built against.
async fn facts(context: &Context, plan: &Plan, steps: &[Step]) -> Result<Facts, StageError> {
    let mut known: HashMap<BuildId, Arc<BuildFacts>> = HashMap::new();
    let replaced = plan.steps.iter().filter_map(|step| step.replaces);
    let made = steps.iter().flat_map(|step| [step.state.outputs(), step.previous]).flatten();
    let mut open: Vec<BuildId> = replaced.chain(made).collect();
    let in_cycles: BTreeSet<BuildId> = plan
        .units
        .iter()
        .filter(|unit| unit.is_cycle())
        .flat_map(|unit| unit.members.iter().filter_map(|&member| steps[member].newest_output()))
        .collect();
    while let Some(build) = open.pop() {
        if known.contains_key(&build) {
            continue;
        }
        if let Some(facts) = context.facts(build).await? {
            if in_cycles.contains(&build) {
                open.extend(facts.against.iter().copied());
            }
            known.insert(build, facts);
        }
    }
    Ok(Facts::new(known))
}

impl View {
    /// What the pipeline's decisions take.
    pub(crate) fn progress(&self) -> Progress<'_> {
        Progress { plan: &self.plan, steps: &self.steps, facts: &self.facts }
    }

    /// The artifact of a step.
    pub(crate) fn artifact(&self, index: StepIndex) -> &ArtifactKey {
        &self.plan.steps[index].artifact
    }

    /// Lets a step enter a state, to be stored by [`View::store`].
    pub(crate) fn enter(
        &mut self,
        context: &Context,
        index: StepIndex,
        next: StepState,
    ) -> Result<(), StageError> {
        let step = &mut self.steps[index];
        let earlier = step.newest_output();
        step.state = step.state.enter(next).map_err(StageError::outside)?;
        // A cycle goes on with what the round before built, until this round has outputs.
        step.previous = if step.state.outputs().is_some() { None } else { earlier };
        step.since = context.clock.now();
        self.changed.insert(index);
        Ok(())
    }

    /// Lets a step do what was decided, with the reason on record.
    pub(crate) fn apply(&mut self, context: &Context, change: Change) -> Result<(), StageError> {
        let kind = match &change.state {
            StepState::Rebuild => DecisionKind::Rebuild,
            StepState::Retest => DecisionKind::Retest,
            StepState::Held { .. } => DecisionKind::Held,
            _ => DecisionKind::Unneeded,
        };
        self.enter(context, change.index, change.state)?;
        let step = &mut self.steps[change.index];
        step.round = change.round;
        step.reason = change.reason.clone();
        self.decide(context, kind, change.index, &change.reason);
        Ok(())
    }

    fn decide(&mut self, context: &Context, kind: DecisionKind, index: StepIndex, reason: &Reason) {
        self.note(context, kind, Some(index), (reason.to_string(), serde_json::json!(reason)));
    }

    /// Learns the facts of builds that steps entered since the view was loaded.
    pub(crate) async fn learn(&mut self, context: &Context) -> Result<(), StageError> {
        self.facts = facts(context, &self.plan, &self.steps).await?;
        Ok(())
    }

    /// Puts a decision on record.
    pub(crate) fn note(
        &mut self,
        context: &Context,
        kind: DecisionKind,
        index: Option<StepIndex>,
        (sentence, detail): (String, serde_json::Value),
    ) {
        let artifact = index.map(|index| self.artifact(index).clone());
        let event = index.and_then(|index| self.cause(index)).or(self.plan.events.first().copied());
        let at = context.clock.now();
        self.decisions.push(Decision {
            kind,
            at,
            event,
            plan: Some(self.plan.id),
            artifact,
            sentence,
            detail,
        });
    }

    /// The event in which a step's reasons end.
    fn cause(&self, index: StepIndex) -> Option<model::id::EventId> {
        pipeline::plan::merge::cause(&self.plan, &self.steps, self.artifact(index))
    }

    /// Whether anything is to be stored.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.decisions.is_empty()
    }

    /// Stores what changed, refused if anybody else changed the same steps meanwhile.
    pub(crate) async fn store(&mut self, tx: &mut Tx) -> Result<(), StageError> {
        for &index in &self.changed {
            let step = &mut self.steps[index];
            step.version = steps::update(tx, step).await?;
        }
        append(tx, &self.decisions).await?;
        self.changed.clear();
        self.decisions.clear();
        Ok(())
    }
}

/// Puts decisions on record, and says so in the log: who watches a server sees the ledger grow.
pub(crate) async fn append(tx: &mut Tx, decisions: &[Decision]) -> Result<(), StageError> {
    for decision in decisions {
        let artifact = decision.artifact.as_ref().map(ToString::to_string);
        tracing::info!(decision = ?decision.kind, artifact, "{}", decision.sentence);
    }
    Ok(store::decisions::append_many(tx, decisions).await?)
}

/// The repository a step is built or tested from: what is published, and the plan's own outputs it may see.
pub(crate) struct Overlay {
    /// The builds in it, by artifact.
    pub(crate) builds: BTreeMap<ArtifactKey, BuildId>,
}

/// The overlay a step sees.
pub(crate) async fn overlay(
    context: &Context,
    view: &View,
    index: StepIndex,
) -> Result<Overlay, StageError> {
    let published = context.published.current(&context.store, &view.plan.branch).await?;
    let mut builds = published.builds.clone();
    builds.extend(progress::visible(&view.progress(), index));
    Ok(Overlay { builds })
}

/// The files of a build's packages.
pub(crate) fn files(context: &Context, build: BuildId, facts: &BuildFacts) -> Vec<PathBuf> {
    let folder = context.config.builds_root().join(build.to_string());
    facts.packages.iter().map(|package| folder.join(&package.file)).collect()
}
