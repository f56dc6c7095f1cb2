//! Time -> messages. Of each rule on time, every period comes once, for each artifact it is about.
//!
//! Periods are counted from 1970, so that each has the same number for everybody. A rule that is new waits for its
//! first whole period; of periods that passed while no server ran, only the last one comes.

use std::sync::Arc;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::event::Event;
use model::message::{InboxState, Message, Received};
use pipeline::intake::time_elapsed;
use pipeline::rules::Rule;
use store::leases::{self, Lease};
use store::{inbox, refs, timers};

use super::{Outcome, Stage, StageError};
use crate::context::Context;

/// Looks whether the time of a rule has come.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let mut outcome = Outcome::Idle;
    for rule in context.rules.in_force() {
        let Some(every) = rule.every else { continue };
        let now = period(context.clock.now(), every);
        let last = timers::last(&mut *context.store.read().await?, &rule.id).await?;
        if last.is_some_and(|last| last >= now) {
            continue;
        }
        let messages = match last {
            None => Vec::new(),
            Some(_) => messages(context, rule, now).await?,
        };
        come(context, lease, rule, (now, &messages)).await?;
        if !messages.is_empty() {
            outcome = Outcome::Busy;
        }
    }
    if outcome == Outcome::Busy {
        context.wakes.wake(Stage::Intake);
    }
    Ok(outcome)
}

/// How many periods had ended by `at`.
fn period(at: Timestamp, every: Duration) -> i64 {
    at.0.div_euclid(i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1))
}

/// One message for each artifact the rule is about.
async fn messages(
    context: &Context,
    rule: &Arc<Rule>,
    period: i64,
) -> Result<Vec<Message>, StageError> {
    let tips = refs::tips(&mut *context.store.read().await?, None).await?;
    let mut messages = Vec::new();
    for tip in tips {
        let Some(commit) = &tip.commit else { continue };
        let (artifact, id) = (tip.artifact, rule.id.clone());
        if !context.config.follows(artifact.branch.as_str()) {
            continue;
        }
        let event = Event::TimeElapsed { artifact: artifact.clone(), rule: id, period };
        let matches = context.ask(&event, Some(commit)).await?;
        if matches.matched.iter().any(|matched| matched.id == rule.id) {
            messages.push(message(rule, &artifact, period));
        }
    }
    Ok(messages)
}

fn message(rule: &Rule, artifact: &ArtifactKey, period: i64) -> Message {
    let body = serde_json::json!({ "rule": rule.id, "artifact": artifact, "period": period });
    Message {
        id: format!("time:{}:{period}:{artifact}", rule.id),
        topic: time_elapsed::TOPIC.to_owned(),
        body: body.to_string(),
    }
}

/// Keeps the messages, and that the period has come: both or neither.
async fn come(
    context: &Context,
    lease: &Lease,
    rule: &Rule,
    (period, messages): (i64, &[Message]),
) -> Result<(), StageError> {
    let at = context.clock.now();
    let received =
        |message: &Message| Received { message: message.clone(), at, state: InboxState::Received };
    let received: Vec<Received> = messages.iter().map(received).collect();
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, at).await?;
    timers::put(&mut tx, &rule.id, period).await?;
    inbox::receive_many(&mut tx, &received).await?;
    Ok(tx.commit().await?)
}
