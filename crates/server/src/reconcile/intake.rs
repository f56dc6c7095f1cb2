//! Messages -> events with the facts they carry, each in one transaction with the inbox's mark.

use model::event::{Event, EventState};
use model::id::EventId;
use model::message::{InboxState, Received};
use model::shadow::ActualBuild;
use model::test::TestResult;
use pipeline::intake::{self, Reading};
use pipeline::rules::EventKind;
use store::leases::{self, Lease};
use store::refs::{self, Move};
use store::{Tx, actual_builds, builds, events, inbox, results};

use super::{Outcome, Stage, StageError};
use crate::clock::mint;
use crate::context::Context;

/// How many messages one transaction takes.
const AT_ONCE: u32 = 256;

/// Reads what came in.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let pending = inbox::pending(&mut *context.store.read().await?, AT_ONCE).await?;
    if pending.is_empty() {
        return Ok(Outcome::Idle);
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    let mut marks = Vec::with_capacity(pending.len());
    let mut accepted = Vec::with_capacity(pending.len());
    for entry in &pending {
        let state = accept(context, &mut tx, &entry.received, &mut accepted).await?;
        marks.push((entry.received.message.id.as_str(), state));
    }
    record(context, &mut tx, &accepted).await?;
    inbox::mark_many(&mut tx, &marks).await?;
    tx.commit().await?;
    context.wakes.wake(Stage::Plan);
    Ok(Outcome::Busy)
}

async fn accept(
    context: &Context,
    tx: &mut Tx,
    received: &Received,
    accepted: &mut Vec<(EventId, Event)>,
) -> Result<InboxState, StageError> {
    let message = &received.message;
    let event = match intake::read(&message.topic, &message.body) {
        Ok(Reading::Event(event)) => event,
        Ok(Reading::Ignored { reason }) => return Ok(InboxState::Ignored { reason }),
        Err(unreadable) => {
            tracing::warn!(
                message = message.id,
                place = unreadable.place,
                reason = unreadable.reason,
                "rejected a message"
            );
            return Ok(InboxState::Rejected { place: unreadable.place, reason: unreadable.reason });
        }
    };
    let id: EventId = mint();
    if let Err(rejected) = effect(context, tx, id, &event).await? {
        return Ok(rejected);
    }
    accepted.push((id, event));
    Ok(InboxState::Accepted { event: id })
}

/// Records the events of one look, in the order of their messages.
async fn record(
    context: &Context,
    tx: &mut Tx,
    accepted: &[(EventId, Event)],
) -> Result<(), StageError> {
    events::insert_many(tx, accepted, context.clock.now()).await?;
    let of = |kind: fn(&Event) -> bool| -> Vec<EventId> {
        accepted.iter().filter(|(_, event)| kind(event)).map(|(id, _)| *id).collect()
    };
    let builds = of(|event| matches!(event, Event::Built { .. }));
    if !builds.is_empty() {
        // Their effect is all there is to them: shadow reports read the builds.
        events::set_state(tx, &builds, EventState::New, EventState::Done).await?;
    }
    let results = of(|event| matches!(event, Event::TestResult { .. }));
    if !results.is_empty() {
        context.wakes.wake(Stage::Gate);
        if !context.rules.is_on(EventKind::TestResult) {
            // Their effect is all there is to them: gates read the results.
            events::set_state(tx, &results, EventState::New, EventState::Done).await?;
        }
    }
    Ok(())
}

/// What an event says about the world, beside asking for a plan.
async fn effect(
    context: &Context,
    tx: &mut Tx,
    id: EventId,
    event: &Event,
) -> Result<Result<(), InboxState>, StageError> {
    let now = context.clock.now();
    match event {
        Event::Committed { artifact, commit, previous, forced, .. } => {
            let moved = Move {
                artifact: artifact.clone(),
                commit: Some(commit.clone()),
                previous: previous.clone(),
                forced: *forced,
                at: now,
                event: Some(id),
            };
            refs::move_tip(tx, &moved).await?;
        }
        Event::BranchDeleted { artifact, previous } => {
            let moved = Move {
                artifact: artifact.clone(),
                commit: None,
                previous: Some(previous.clone()),
                forced: false,
                at: now,
                event: Some(id),
            };
            refs::move_tip(tx, &moved).await?;
        }
        Event::TestResult { artifact, nvr, case, outcome } => {
            let Some(build) =
                builds::by_nvr(tx, nvr).await?.filter(|build| build.artifact == *artifact)
            else {
                let reason = format!("there is no build {nvr} of {artifact}");
                return Ok(Err(InboxState::Rejected { place: "body.nvr".to_owned(), reason }));
            };
            let result = TestResult {
                id: mint(),
                run: None,
                artifact: artifact.clone(),
                build: build.id,
                case: case.clone(),
                outcome: *outcome,
                note: String::new(),
                at: now,
            };
            results::insert_many(tx, &[result]).await?;
        }
        Event::Built { artifact, nvr, by, system, at } => {
            if !context.config.follows(artifact.branch.as_str()) {
                let reason = format!("nobody follows branch {}", artifact.branch);
                return Ok(Err(InboxState::Ignored { reason }));
            }
            let build = ActualBuild {
                artifact: artifact.clone(),
                nvr: nvr.clone(),
                by: by.clone(),
                system: system.clone(),
                at: at.unwrap_or(now),
            };
            actual_builds::put(tx, &build).await?;
        }
        Event::Requested { .. } | Event::TimeElapsed { .. } => {}
    }
    Ok(Ok(()))
}
