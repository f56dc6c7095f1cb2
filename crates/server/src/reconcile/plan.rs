//! Events -> plans. A source that does not parse is rejected here, and nothing else is touched.

mod answer;
mod missing;
pub(crate) mod provisional;
pub(crate) mod reading;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::artifact::{ArtifactKey, BranchName};
use model::build::BuildState;
use model::decision::{Decision, DecisionKind};
use model::event::{EventState, RecordedEvent};
use model::id::EventId;
use model::plan::Plan;
use model::rule::PlanMode;
use model::step::{Step, StepState};
use pipeline::plan::merge::unfinished;
use pipeline::plan::{Root, first_steps};
use pipeline::rules::limits::Bounds;
use store::leases::{self, Lease};
use store::{Tx, builds, events, plans, steps};

use super::{Outcome, Stage, StageError};
use crate::context::Context;
use crate::planning::{Draft, Supposed, Wish, alone, draft, drafts, proposals};
use crate::view::append;
use answer::{Answer, DryStart, Moment, Start, answer, decision};

pub(crate) use answer::root;

/// How many events are answered at once. More at once means fewer plans to merge.
const AT_ONCE: u32 = 500;

/// Answers what is new. What has to be read first and takes long is answered at a later look.
pub(crate) async fn look(context: &Arc<Context>, lease: &Lease) -> Result<Outcome, StageError> {
    let allowed = carry_out_allowed(context, lease).await?;
    let answered = answer_pending(context, lease).await?;
    Ok(if allowed || answered { Outcome::Busy } else { Outcome::Idle })
}

async fn answer_pending(context: &Arc<Context>, lease: &Lease) -> Result<bool, StageError> {
    let pending = events::pending(&mut *context.store.read().await?, AT_ONCE).await?;
    if pending.is_empty() {
        return Ok(false);
    }
    let mut answers = Answers::default();
    let unread = answers.gather(context, pending).await?;
    if !unread.is_empty() {
        let mut wanted: Vec<_> = unread.iter().map(|(_, wanted)| wanted.clone()).collect();
        wanted.sort();
        wanted.dedup();
        reading::read(context, &wanted).await;
        answers.gather(context, unread.into_iter().map(|(recorded, _)| recorded).collect()).await?;
    }
    let Answers { mut starts, nothing, mut notices } = answers;
    // Those whose source was known came first. Plans are made in the order of events, whatever a kill left read.
    starts.values_mut().for_each(|starts| starts.sort_by_key(Start::event));
    if starts.is_empty() && nothing.is_empty() {
        return Ok(false);
    }
    close(context, lease, &nothing).await?;
    for (branch, starts) in starts {
        plan(context, lease, &branch, Starts::of(starts, &mut notices)).await?;
    }
    Ok(true)
}

/// Plans again what a person has allowed, together with what is under way by now.
async fn carry_out_allowed(context: &Context, lease: &Lease) -> Result<bool, StageError> {
    let allowed = proposals::allowed(context).await?;
    let any = !allowed.is_empty();
    for (found, steps, approval) in allowed {
        let roots = unfinished(&found.plan, &steps);
        let branch = found.plan.branch.clone();
        let wish = Wish {
            approval: Some(approval),
            goes_on_with: vec![(found, steps)],
            ..Wish::of(context, roots)
        };
        let draft = draft(context, &branch, wish, &Supposed::default()).await?;
        store(context, lease, vec![(draft, Vec::new())], &mut HashMap::new()).await?;
    }
    Ok(any)
}

/// What is to be put in the ledger together with the mark on an event.
type Notices = HashMap<EventId, Vec<Decision>>;

/// What the events of one look come to.
#[derive(Default)]
struct Answers {
    starts: BTreeMap<BranchName, Vec<Start>>,
    nothing: Vec<(EventId, EventState, Vec<Decision>)>,
    notices: Notices,
}

impl Answers {
    /// Answers events; those whose source was not read yet come back.
    async fn gather(
        &mut self,
        context: &Context,
        pending: Vec<RecordedEvent>,
    ) -> Result<Vec<(RecordedEvent, reading::Wanted)>, StageError> {
        let moment = Moment::load(context, &pending).await?;
        let mut unread = Vec::new();
        for recorded in pending {
            let (answer, notices) = answer(context, &moment, &recorded);
            match answer {
                Answer::Start(start) => {
                    let branch = recorded.event.artifact().branch.clone();
                    self.starts.entry(branch).or_default().push(*start);
                    self.notices.insert(recorded.id, notices);
                }
                Answer::Nothing { state, kind, sentence, detail } => {
                    let decision = decision(context, &recorded, kind, (sentence, detail));
                    let decisions = [vec![decision], notices].concat();
                    self.nothing.push((recorded.id, state, decisions));
                }
                Answer::Unread(wanted) => unread.push((recorded, wanted)),
            }
        }
        Ok(unread)
    }
}

impl Start {
    fn event(&self) -> Option<EventId> {
        let real = self.real.as_ref().map(|(root, _)| root.event);
        real.or(self.dry.as_ref().map(|dry| dry.root.event))
    }
}

/// The starts of one branch, sorted by what becomes of them.
struct Starts<'n> {
    roots: Vec<Root>,
    bounds: HashMap<EventId, Bounds>,
    /// What would start beside a root, or instead of one.
    dry: HashMap<EventId, DryStart>,
    notices: &'n mut Notices,
}

impl<'n> Starts<'n> {
    fn of(starts: Vec<Start>, notices: &'n mut Notices) -> Self {
        let (roots, bounds, dry) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut sorted = Self { roots, bounds, dry, notices };
        for Start { real, dry } in starts {
            if let Some((root, bounds)) = real {
                sorted.bounds.insert(root.event, bounds);
                sorted.roots.push(root);
            }
            if let Some(dry) = dry {
                sorted.dry.insert(dry.root.event, dry);
            }
        }
        sorted
    }

    /// Adds to drafts the dry runs of their events.
    async fn beside(
        &mut self,
        context: &Context,
        branch: &BranchName,
        drafts: &mut Vec<(Draft, Vec<Root>)>,
    ) -> Result<(), StageError> {
        let roots = drafts.iter().flat_map(|(_, roots)| roots);
        let events: Vec<EventId> = roots.map(|root| root.event).collect();
        for event in events {
            if let Some(dry) = self.dry.remove(&event) {
                drafts.push((dry_run(context, branch, &dry).await?, Vec::new()));
            }
        }
        Ok(())
    }
}

/// The plan there would be if some dry runs were real.
async fn dry_run(
    context: &Context,
    branch: &BranchName,
    dry: &DryStart,
) -> Result<Draft, StageError> {
    let routes = HashMap::from([(dry.root.event, dry.route.clone())]);
    let supposed = Supposed { routes, ..Supposed::default() };
    let mode = PlanMode::DryRun { rules: dry.rules.clone() };
    let wish = Wish { mode, ..Wish::of(context, vec![dry.root.clone()]) };
    let plan = alone(context, branch, wish, &supposed).await?;
    Ok(Draft { plan, merged: Vec::new() })
}

/// Plans what starts on one branch: what touches more than its rules allow by itself; of the rest, those roots whose
/// consequences meet together, all that meet nothing else in one transaction.
async fn plan(
    context: &Context,
    lease: &Lease,
    branch: &BranchName,
    mut starts: Starts<'_>,
) -> Result<(), StageError> {
    let mut roots = std::mem::take(&mut starts.roots);
    let only_shown = starts.dry.values().map(|dry| &dry.root);
    let all: Vec<Root> = roots.iter().chain(only_shown).cloned().collect();
    provisional::update(context, lease, branch, &all).await?;
    roots.extend(missing::roots(context, branch, &roots).await?);
    let mut large = proposals::take_large(context, branch, &mut roots, &starts.bounds).await?;
    let groups = groups(context, roots).await?.into_iter();
    let groups = groups.map(|roots| Wish::of(context, roots).bounded(&starts.bounds)).collect();
    let (mut apart, meeting) = drafts(context, branch, groups).await?;
    apart.append(&mut large);
    take_places(context, branch, &mut apart).await?;
    starts.beside(context, branch, &mut apart).await?;
    store(context, lease, apart, starts.notices).await?;
    for wish in meeting {
        let roots = wish.roots.clone();
        let draft = draft(context, branch, wish, &Supposed::default()).await?;
        let mut drafts = vec![(draft, roots)];
        take_places(context, branch, &mut drafts).await?;
        starts.beside(context, branch, &mut drafts).await?;
        store(context, lease, drafts, starts.notices).await?;
    }
    for dry in std::mem::take(&mut starts.dry).into_values() {
        let draft = dry_run(context, branch, &dry).await?;
        store(context, lease, vec![(draft, vec![dry.root])], starts.notices).await?;
    }
    Ok(())
}

/// Lets drafts take the places of the plans that wait for a person about an older commit.
async fn take_places(
    context: &Context,
    branch: &BranchName,
    drafts: &mut [(Draft, Vec<Root>)],
) -> Result<(), StageError> {
    let roots = drafts.iter().flat_map(|(_, roots)| roots).cloned().collect::<Vec<_>>();
    for (start, replaced) in proposals::replaced_by(context, branch, &roots).await? {
        let mut takers =
            drafts.iter_mut().filter(|(_, roots)| roots.iter().any(|root| root.artifact == start));
        if let Some((draft, _)) = takers.next() {
            draft.merged.push(replaced);
        }
    }
    Ok(())
}

/// Marks events that ask for no plan, each with the decisions that say why.
async fn close(
    context: &Context,
    lease: &Lease,
    nothing: &[(EventId, EventState, Vec<Decision>)],
) -> Result<(), StageError> {
    if nothing.is_empty() {
        return Ok(());
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    for (event, state, decisions) in nothing {
        events::set_state(&mut tx, &[*event], EventState::New, *state).await?;
        append(&mut tx, decisions).await?;
    }
    Ok(tx.commit().await?)
}

/// Roots whose consequences meet belong into one plan; the others are planned apart.
async fn groups(context: &Context, roots: Vec<Root>) -> Result<Vec<Vec<Root>>, StageError> {
    let mut cache = context.graph.lock().await;
    let graph = cache.current(&context.store).await?;
    let reach = |root: &Root| -> Vec<_> {
        let node = graph.node(&root.artifact);
        node.map(|node| graph.reach(&[node], |_| true).nodes().collect()).unwrap_or_default()
    };
    let reached: Vec<_> = roots.iter().map(|root| (root.artifact.clone(), reach(root))).collect();
    Ok(pipeline::plan::merge::groups(roots, &reached))
}

/// Stores plans with their steps, ends the plans they go on with, and marks their events: all or nothing.
async fn store(
    context: &Context,
    lease: &Lease,
    drafts: Vec<(Draft, Vec<Root>)>,
    notices: &mut Notices,
) -> Result<(), StageError> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    let plans: Vec<(&Plan, Vec<Step>)> =
        drafts.iter().map(|(draft, _)| (&draft.plan, first_steps(&draft.plan))).collect();
    plans::insert_many(&mut tx, &plans).await?;
    let mut record = Vec::new();
    for (draft, _) in &drafts {
        for (merged, steps) in &draft.merged {
            supersede(context, &mut tx, draft, steps).await?;
            let sentence = format!("plan {} goes on in a new plan", merged.number);
            let about = about(context, draft, DecisionKind::Merged, sentence);
            record.push(Decision { plan: Some(merged.plan.id), ..about });
        }
        record.extend(planned(context, draft));
    }
    // An event may start at several places: what its artifact lacks is built first.
    let answered: BTreeSet<EventId> =
        drafts.iter().flat_map(|(_, roots)| roots).map(|root| root.event).collect();
    record.extend(answered.iter().filter_map(|event| notices.remove(event)).flatten());
    let answered: Vec<EventId> = answered.into_iter().collect();
    events::set_state(&mut tx, &answered, EventState::New, EventState::Planned).await?;
    append(&mut tx, &record).await?;
    tx.commit().await?;
    hint(context, &drafts);
    Ok(())
}

/// Tells the stages behind this one. While plans only wait for their time there is nothing for them to do: they look
/// often enough by themselves to begin when it has come.
fn hint(context: &Context, drafts: &[(Draft, Vec<Root>)]) {
    let now = context.clock.now();
    let is_due = |draft: &Draft| draft.plan.start <= now || !draft.merged.is_empty();
    if drafts.iter().any(|(draft, _)| is_due(draft)) {
        context.wakes.wake(Stage::Fate);
        context.wakes.wake(Stage::Schedule);
    } else {
        context.wakes.tell();
    }
}

async fn supersede(
    context: &Context,
    tx: &mut Tx,
    draft: &Draft,
    old: &[Step],
) -> Result<(), StageError> {
    for step in old.iter().filter(|step| !step.state.is_settled()) {
        let next = StepState::Superseded { by: draft.plan.id };
        let state = step.state.enter(next).map_err(StageError::outside)?;
        let step = Step { state, since: context.clock.now(), ..step.clone() };
        steps::update(tx, &step).await?;
    }
    for step in old {
        if let StepState::Building { build } = step.state {
            cancel_unwanted(context, tx, draft, build).await?;
        }
    }
    Ok(())
}

/// A build that no step of the new plan wants is ended; the others are found again by their inputs.
async fn cancel_unwanted(
    context: &Context,
    tx: &mut Tx,
    draft: &Draft,
    build: model::id::BuildId,
) -> Result<(), StageError> {
    let Some(mut build) = builds::get(tx, build).await? else { return Ok(()) };
    let wanted = draft
        .plan
        .steps
        .iter()
        .any(|step| step.artifact == build.artifact && step.commit == build.commit);
    if wanted || !matches!(build.state, BuildState::Queued | BuildState::Running { .. }) {
        return Ok(());
    }
    let reason = "a later commit takes its place".to_owned();
    let next = BuildState::Cancelled { reason, at: context.clock.now() };
    build.state = build.state.enter(next).map_err(StageError::outside)?;
    builds::update(tx, &build, context.clock.now()).await?;
    context.wakes.wake(Stage::Build);
    Ok(())
}

fn about(context: &Context, draft: &Draft, kind: DecisionKind, sentence: String) -> Decision {
    Decision {
        kind,
        at: context.clock.now(),
        event: draft.plan.events.first().copied(),
        plan: Some(draft.plan.id),
        artifact: None,
        sentence,
        detail: serde_json::Value::Null,
    }
}

/// One decision for each root, one for each artifact before which the change stopped already, and one for a plan that
/// waits for a person. A dry run decides nothing.
fn planned(context: &Context, draft: &Draft) -> Vec<Decision> {
    if matches!(draft.plan.mode, PlanMode::DryRun { .. }) {
        return Vec::new();
    }
    let roots = draft.plan.steps.iter().filter(|step| step.root.is_some()).map(|step| Decision {
        event: step.reason.event().or(draft.plan.events.first().copied()),
        artifact: Some(step.artifact.clone()),
        detail: serde_json::json!(step.reason),
        ..about(context, draft, DecisionKind::Planned, step.reason.to_string())
    });
    let inside: HashSet<&ArtifactKey> =
        draft.plan.steps.iter().map(|step| &step.artifact).collect();
    let stops = draft.plan.stops.iter().filter(|stop| !inside.contains(&stop.edge.dependent));
    let stops = stops.map(|stop| Decision {
        artifact: Some(stop.edge.dependent.clone()),
        detail: serde_json::json!(stop),
        ..about(context, draft, DecisionKind::Stopped, stop.to_string())
    });
    let root = draft.plan.steps.iter().find(|step| step.root.is_some());
    let asked = proposals::sentence(draft).map(|sentence| Decision {
        artifact: root.map(|root| root.artifact.clone()),
        detail: serde_json::json!(draft.plan.mode),
        ..about(context, draft, DecisionKind::Proposed, sentence)
    });
    roots.chain(stops).chain(asked).collect()
}

#[cfg(test)]
mod tests;
