//! In shadow mode: a day's plans, and what others built -> the day's report.
//!
//! The report and the notice that tells of it are stored at once, so that a kill between them is no loss.

use std::collections::HashSet;
use std::time::Duration;

use model::clock::Timestamp;
use model::event::Event;
use model::id::EventId;
use model::notice::{Notice, NoticeKind};
use model::plan::NumberedPlan;
use model::shadow::ShadowReport;
use pipeline::shadow::{Span, compare};
use store::leases::Lease;
use store::{Conn, actual_builds, events, notices, plans, shadow_reports};

use super::{Outcome, Stage, StageError};
use crate::admin::shadow::ShadowView;
use crate::clock::mint;
use crate::context::Context;
use crate::records::Records;

const DAY: Duration = Duration::from_secs(86_400);

/// Reports on a day that is over and not reported on.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    if !context.config.shadow.enabled {
        return Ok(Outcome::Idle);
    }
    let outcome = report(&Records::of(context, lease)).await?;
    if outcome == Outcome::Busy {
        context.wakes.wake(Stage::Notify);
    }
    Ok(outcome)
}

async fn report(records: &Records<'_>) -> Result<Outcome, StageError> {
    let (now, grace) = (records.now(), records.config.shadow.grace_seconds);
    let mut reader = records.store.snapshot().await?;
    let Some(from) = next_day(&mut reader).await? else { return Ok(Outcome::Idle) };
    let until = from + DAY;
    if now < until + grace {
        return Ok(Outcome::Idle);
    }
    let report = over(&mut reader, Span { from, until, grace }).await?;
    drop(reader);
    let mut tx = records.begin().await?;
    shadow_reports::insert(&mut tx, &report, now).await?;
    notices::put(&mut tx, &notice(report, now)).await?;
    tx.commit().await?;
    Ok(Outcome::Busy)
}

/// The first day that was not reported on, from that of the first plan on; days are those of UTC.
async fn next_day(reader: &mut Conn) -> Result<Option<Timestamp>, store::Error> {
    if let Some(last) = shadow_reports::list(reader, 1).await?.into_iter().next() {
        return Ok(Some(last.until));
    }
    let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    let first = plans::first_in_shadow(reader).await?;
    Ok(first.map(|first| Timestamp(first.0.div_euclid(day) * day)))
}

/// The report on a span of time, as far as it is known now.
pub(crate) async fn over(reader: &mut Conn, span: Span) -> Result<ShadowReport, StageError> {
    let (from, until) = (span.from - span.grace, span.until + span.grace);
    let plans = plans::in_shadow(reader, from, until).await?;
    let actual = actual_builds::between(reader, from, until).await?;
    let first_seen = first_seen(reader, &plans).await?;
    Ok(compare(span, &plans, &first_seen, &actual))
}

/// The events of plans that tell of a branch nobody knew of.
async fn first_seen(
    reader: &mut Conn,
    plans: &[NumberedPlan],
) -> Result<HashSet<EventId>, store::Error> {
    let ids: Vec<EventId> = plans.iter().flat_map(|plan| plan.plan.events.clone()).collect();
    let found = events::get_many(reader, &ids).await?;
    let is_new = |event: &Event| matches!(event, Event::Committed { previous: None, .. });
    Ok(found.into_iter().filter(|recorded| is_new(&recorded.event)).map(|new| new.id).collect())
}

fn notice(report: ShadowReport, now: Timestamp) -> Notice {
    Notice {
        id: mint(),
        kind: NoticeKind::ShadowReport,
        cause: None,
        plan: None,
        about: None,
        opened: now,
        changed: now,
        told: None,
        text: Some(ShadowView(report).to_string()),
        members: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
