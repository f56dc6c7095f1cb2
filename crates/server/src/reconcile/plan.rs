//! Events -> plans. A source that does not parse is rejected here, and nothing else is touched.

mod missing;
pub(crate) mod provisional;
pub(crate) mod reading;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::build::BuildState;
use model::decision::{Decision, DecisionKind};
use model::event::{Event, EventState, RecordedEvent, Request};
use model::hold::{Hold, HoldKind};
use model::id::EventId;
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use model::source::{Source, SourceProblem};
use model::step::{Step, StepState};
use pipeline::plan::{Root, first_steps};
use store::leases::{self, Lease};
use store::{Tx, builds, events, holds, plans, refs, sources, steps};

use super::{Outcome, Stage, StageError};
use crate::context::Context;
use crate::planning::{Draft, Supposed, draft, drafts};
use crate::view::append;

/// How many events are answered at once. More at once means fewer plans to merge.
const AT_ONCE: u32 = 500;

/// What an event comes to.
enum Answer {
    /// It asks for no plan.
    Nothing { state: EventState, kind: DecisionKind, sentence: String, detail: serde_json::Value },
    /// It starts a change.
    Root(Box<Root>),
    /// Its source has to be read first.
    Unread(reading::Wanted),
}

/// Answers what is new. What has to be read first and takes long is answered at a later look.
pub(crate) async fn look(context: &Arc<Context>, lease: &Lease) -> Result<Outcome, StageError> {
    let pending = events::pending(&mut *context.store.read().await?, AT_ONCE).await?;
    if pending.is_empty() {
        return Ok(Outcome::Idle);
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
    let Answers { mut roots, nothing } = answers;
    // Those whose source was known came first. Plans are made in the order of events, whatever a kill left read.
    roots.values_mut().for_each(|roots| roots.sort_by_key(|root| root.event));
    if roots.is_empty() && nothing.is_empty() {
        return Ok(Outcome::Idle);
    }
    close(context, lease, &nothing).await?;
    for (branch, roots) in roots {
        plan(context, lease, &branch, roots).await?;
    }
    context.wakes.wake(Stage::Fate);
    context.wakes.wake(Stage::Schedule);
    Ok(Outcome::Busy)
}

/// What the events of one look come to.
#[derive(Default)]
struct Answers {
    roots: BTreeMap<BranchName, Vec<Root>>,
    nothing: Vec<(EventId, EventState, Decision)>,
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
            match answer(&moment, &recorded) {
                Answer::Root(root) => {
                    self.roots.entry(root.artifact.branch.clone()).or_default().push(*root);
                }
                Answer::Nothing { state, kind, sentence, detail } => {
                    let decision = decision(context, &recorded, kind, sentence, detail);
                    self.nothing.push((recorded.id, state, decision));
                }
                Answer::Unread(wanted) => unread.push((recorded, wanted)),
            }
        }
        Ok(unread)
    }
}

/// Plans roots of one branch: those whose consequences meet together, all that meet nothing else in one transaction.
async fn plan(
    context: &Context,
    lease: &Lease,
    branch: &BranchName,
    roots: Vec<Root>,
) -> Result<(), StageError> {
    provisional::update(context, lease, branch, &roots).await?;
    let missing = missing::roots(context, branch, &roots).await?;
    let roots = roots.into_iter().chain(missing).collect();
    let groups = groups(context, roots).await?;
    let (apart, meeting) = drafts(context, branch, groups).await?;
    store(context, lease, &apart).await?;
    for roots in meeting {
        let draft = draft(context, branch, roots.clone(), &Supposed::default()).await?;
        store(context, lease, &[(draft, roots)]).await?;
    }
    Ok(())
}

/// What all answers of one look ask about, loaded once.
struct Moment {
    frozen: Vec<Hold>,
    tips: HashMap<ArtifactKey, Option<CommitId>>,
    /// What the tips say, of those that were read.
    sources: HashMap<ArtifactKey, Source>,
}

impl Moment {
    async fn load(context: &Context, pending: &[RecordedEvent]) -> Result<Self, StageError> {
        let mut reader = context.store.read().await?;
        let in_force = holds::in_force(&mut reader, context.clock.now()).await?;
        let artifacts: Vec<ArtifactKey> =
            pending.iter().map(|recorded| recorded.event.artifact().clone()).collect();
        let tips = refs::tips_of(&mut reader, &artifacts).await?;
        let commits: Vec<(ArtifactKey, CommitId)> = (tips.iter())
            .filter_map(|tip| Some((tip.artifact.clone(), tip.commit.clone()?)))
            .collect();
        let sources = sources::get_many(&mut reader, &commits).await?;
        Ok(Self {
            frozen: in_force.into_iter().filter(|hold| hold.kind == HoldKind::Freeze).collect(),
            tips: tips.into_iter().map(|tip| (tip.artifact, tip.commit)).collect(),
            sources: (sources.into_iter())
                .map(|source| (source.artifact.clone(), source))
                .collect(),
        })
    }
}

fn answer(moment: &Moment, recorded: &RecordedEvent) -> Answer {
    let artifact = recorded.event.artifact();
    if let Some(hold) = moment.frozen.iter().find(|hold| hold.artifact == *artifact) {
        let (author, reason) = (hold.author.clone(), hold.reason.clone());
        let sentence = format!("{artifact} is frozen by {author}: {reason}");
        return ignored(sentence, serde_json::json!(Reason::Frozen { author, reason }));
    }
    let tip = moment.tips.get(artifact).cloned().flatten();
    let none = serde_json::Value::Null;
    let (commit, action, reason) = match &recorded.event {
        Event::Committed { commit, subject, .. } => {
            if tip.as_ref() != Some(commit) {
                let moved =
                    format!("the branch of {artifact} has moved on from {}", commit.short());
                return ignored(moved, none);
            }
            let (event, subject) = (recorded.id, subject.clone());
            let reason = Reason::SourceChanged { event, commit: commit.clone(), subject };
            (commit.clone(), RootAction::Rebuild, reason)
        }
        Event::Requested { request, by, reason, .. } => {
            let Some(commit) = tip else {
                return rejected(&format!("{artifact} has no such branch"), none);
            };
            let action = match request {
                Request::Rebuild => RootAction::Rebuild,
                Request::Retest => RootAction::Retest,
            };
            let (by, reason) = (by.clone(), reason.clone());
            (commit, action, Reason::Requested { event: recorded.id, by, reason })
        }
        Event::BranchDeleted { .. } => {
            let gone = format!("the branch of {artifact} is gone; what is published of it stays");
            return ignored(gone, none);
        }
        Event::TestResult { .. } => {
            return ignored("gates read the result".to_owned(), none);
        }
    };
    root(moment, recorded, (commit, action, reason))
}

/// A root, once the source at its tip is read.
fn root(
    moment: &Moment,
    recorded: &RecordedEvent,
    (commit, action, reason): (CommitId, RootAction, Reason),
) -> Answer {
    let artifact = recorded.event.artifact();
    let Some(source) = moment.sources.get(artifact) else {
        return Answer::Unread((artifact.clone(), commit));
    };
    if let Err(problem) = &source.content {
        return refused(artifact, problem);
    }
    let severity = recorded.event.severity();
    let root =
        Root { artifact: artifact.clone(), commit, action, reason, severity, event: recorded.id };
    Answer::Root(Box::new(root))
}

fn refused(artifact: &ArtifactKey, problem: &SourceProblem) -> Answer {
    rejected(&format!("{artifact}: {problem}"), serde_json::json!(problem))
}

fn rejected(sentence: &str, detail: serde_json::Value) -> Answer {
    let sentence = sentence.to_owned();
    Answer::Nothing { state: EventState::Rejected, kind: DecisionKind::Rejected, sentence, detail }
}

fn ignored(sentence: String, detail: serde_json::Value) -> Answer {
    Answer::Nothing { state: EventState::Done, kind: DecisionKind::Ignored, sentence, detail }
}

fn decision(
    context: &Context,
    recorded: &RecordedEvent,
    kind: DecisionKind,
    sentence: String,
    detail: serde_json::Value,
) -> Decision {
    Decision {
        kind,
        at: context.clock.now(),
        event: Some(recorded.id),
        plan: None,
        artifact: Some(recorded.event.artifact().clone()),
        sentence,
        detail,
    }
}

/// Marks events that ask for no plan, each with the decision that says why.
async fn close(
    context: &Context,
    lease: &Lease,
    nothing: &[(EventId, EventState, Decision)],
) -> Result<(), StageError> {
    if nothing.is_empty() {
        return Ok(());
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    for (event, state, decision) in nothing {
        events::set_state(&mut tx, &[*event], EventState::New, *state).await?;
        append(&mut tx, std::slice::from_ref(decision)).await?;
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
    drafts: &[(Draft, Vec<Root>)],
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
    for (draft, _) in drafts {
        for (merged, steps) in &draft.merged {
            supersede(context, &mut tx, draft, steps).await?;
            let sentence = format!("plan {} goes on in a new plan", merged.number);
            let about = about(context, draft, DecisionKind::Merged, sentence);
            record.push(Decision { plan: Some(merged.plan.id), ..about });
        }
        record.extend(planned(context, draft));
    }
    let answered: Vec<EventId> =
        drafts.iter().flat_map(|(_, roots)| roots).map(|root| root.event).collect();
    events::set_state(&mut tx, &answered, EventState::New, EventState::Planned).await?;
    append(&mut tx, &record).await?;
    Ok(tx.commit().await?)
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

/// One decision for each root, and one for each edge at which the change stopped already.
fn planned(context: &Context, draft: &Draft) -> Vec<Decision> {
    let roots = draft.plan.steps.iter().filter(|step| step.root.is_some()).map(|step| Decision {
        event: step.reason.event().or(draft.plan.events.first().copied()),
        artifact: Some(step.artifact.clone()),
        detail: serde_json::json!(step.reason),
        ..about(context, draft, DecisionKind::Planned, step.reason.to_string())
    });
    let stops = draft.plan.stops.iter().map(|stop| Decision {
        artifact: Some(stop.edge.dependent.clone()),
        detail: serde_json::json!(stop),
        ..about(context, draft, DecisionKind::Stopped, stop.to_string())
    });
    roots.chain(stops).collect()
}
