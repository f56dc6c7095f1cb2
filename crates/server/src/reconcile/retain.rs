//! What policy no longer keeps -> removed, with a record of what, when and why.
//!
//! The intent is committed first, then the thing is removed, then that is recorded. What a kill left intended is decided
//! again at the next look: it goes on, or is forgotten because something needs the thing after all.

mod carry_out;
mod facts;

use std::collections::BTreeMap;

use model::clock::Timestamp;
use model::removal::{Doomed, Removal, SubjectKind};
use pipeline::retention::{self, Verdict};
use store::leases::Lease;
use store::removals::{self, Moment, Total};

use super::{Outcome, StageError};
use crate::config::Config;
use crate::context::Context;
use crate::records::Records;

pub(crate) use carry_out::path;

/// Goes through everything that is kept, when it is time or a person asked for it.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let records = Records::of(context, lease);
    if is_time(&records).await? {
        let tally = run(&records).await?;
        for (kind, total) in &tally {
            tracing::info!(%kind, count = total.count, bytes = total.bytes, "removed what is not kept any more");
        }
    }
    Ok(Outcome::Idle)
}

async fn is_time(records: &Records<'_>) -> Result<bool, StageError> {
    let policy = &records.config.retention;
    let mut reader = records.store.read().await?;
    let Some(ran) = removals::when(&mut reader, Moment::Ran).await? else {
        return Ok(policy.enabled);
    };
    let asked = removals::when(&mut reader, Moment::Asked).await?;
    let due = policy.enabled && records.now().since(ran) >= policy.every_seconds;
    Ok(due || asked.is_some_and(|asked| asked > ran))
}

/// How much was removed, by kind.
pub(crate) type Tally = BTreeMap<SubjectKind, Total>;

/// Removes everything that policy no longer keeps.
pub(crate) async fn run(records: &Records<'_>) -> Result<Tally, StageError> {
    let began = records.now();
    let verdict = decide(records.config, records.store, began).await?;
    intend(records, &verdict).await?;
    let pending = removals::pending(&mut *records.store.read().await?).await?;
    let mut tally = Tally::new();
    for removal in pending {
        if settle(records, &verdict, &removal).await? {
            let total = tally.entry(removal.doomed.subject.kind).or_default();
            total.count += 1;
            total.bytes += removal.bytes;
        }
    }
    let mut tx = records.begin().await?;
    removals::note(&mut tx, Moment::Ran, began).await?;
    tx.commit().await?;
    Ok(tally)
}

/// What is to be removed now, and what is kept.
pub(crate) async fn decide(
    config: &Config,
    store: &store::Store,
    now: Timestamp,
) -> Result<Verdict, StageError> {
    let facts = facts::gather(config, store, now).await?;
    Ok(retention::decide(&facts, &config.retention.policy()))
}

async fn intend(records: &Records<'_>, verdict: &Verdict) -> Result<(), StageError> {
    let mut doomed: Vec<(Doomed, u64)> = Vec::with_capacity(verdict.doomed.len());
    for one in &verdict.doomed {
        doomed.push((one.clone(), carry_out::freed_by(records.config, &one.subject).await?));
    }
    let now = records.now();
    let mut tx = records.begin().await?;
    removals::note_unused(&mut tx, &verdict.unused, now).await?;
    removals::note_used(&mut tx, &verdict.used).await?;
    removals::intend(&mut tx, &doomed, now).await?;
    Ok(tx.commit().await?)
}

/// Removes what was intended, unless it is needed after all; says whether it is gone.
async fn settle(
    records: &Records<'_>,
    verdict: &Verdict,
    removal: &Removal,
) -> Result<bool, StageError> {
    let subject = &removal.doomed.subject;
    let stands = verdict.doomed.iter().any(|doomed| doomed.subject == *subject);
    let is_there = path(records.config, subject).is_some_and(|path| path.exists());
    let gone = if stands || !is_there {
        carry_out::remove(records.config, &removal.doomed).await?
    } else {
        false
    };
    let mut tx = records.begin().await?;
    if gone {
        removals::finish(&mut tx, removal.number, records.now()).await?;
    } else {
        tracing::info!(%subject, "stays: something needs it after all");
        removals::abandon(&mut tx, removal.number).await?;
    }
    tx.commit().await?;
    Ok(gone)
}

#[cfg(test)]
mod tests;
