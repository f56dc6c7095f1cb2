//! Sources are read beside the planning: one that hangs, or whose repository is away, keeps nothing else waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::clock::Timestamp;
use store::sources;
use tokio::sync::{Semaphore, mpsc};

use crate::context::Context;
use crate::reconcile::{Stage, StageError};
use crate::sourcing;

/// How many sources are read at once.
const AT_ONCE: usize = 4;

/// How long planning waits for the next source that was pushed together with those that are read: what comes together
/// is planned together, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest pause before a source is looked at again.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A commit of an artifact.
pub(super) type Wanted = (ArtifactKey, CommitId);

/// What is being read, and what could not be looked at.
pub(crate) struct Readings {
    known: Mutex<HashMap<Wanted, Reading>>,
    places: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
enum Reading {
    UnderWay { failures: u32 },
    Failed { failures: u32, again: Timestamp },
}

impl Default for Readings {
    fn default() -> Self {
        Self { known: Mutex::default(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Readings {
    fn known(&self) -> MutexGuard<'_, HashMap<Wanted, Reading>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks as under way what is wanted, is not being read and may be looked at again; forgets what nobody wants now.
    fn begin(&self, wanted: &[Wanted], now: Timestamp) -> Vec<Wanted> {
        let mut known = self.known();
        known.retain(|source, reading| {
            matches!(reading, Reading::UnderWay { .. }) || wanted.contains(source)
        });
        let mut begun = Vec::new();
        for source in wanted {
            let failures = match known.get(source) {
                None => 0,
                Some(Reading::Failed { failures, again }) if *again <= now => *failures,
                Some(_) => continue,
            };
            known.insert(source.clone(), Reading::UnderWay { failures });
            begun.push(source.clone());
        }
        begun
    }

    /// Puts down how a reading ended; for a failure, how long the next one waits.
    fn end(&self, source: &Wanted, failed: bool, now: Timestamp) -> Duration {
        let mut known = self.known();
        let before = known.remove(source);
        if !failed {
            return Duration::ZERO;
        }
        let failures = match before {
            Some(Reading::UnderWay { failures }) => failures + 1,
            _ => 1,
        };
        let pause = Duration::from_secs(1 << failures.min(4)).min(LONGEST_PAUSE);
        known.insert(source.clone(), Reading::Failed { failures, again: now + pause });
        pause
    }
}

/// Begins to read what is wanted, and waits while one after the other is done.
pub(super) async fn read(context: &Arc<Context>, wanted: &[Wanted]) {
    let begun = context.readings.begin(wanted, context.clock.now());
    let (ended, mut ends) = mpsc::unbounded_channel();
    for source in begun {
        let (context, ended) = (Arc::clone(context), ended.clone());
        tokio::spawn(async move {
            read_one(&context, &source).await;
            // Nobody listens any more if this took long; then the stage looks again.
            if ended.send(()).is_err() {
                context.wakes.wake(Stage::Plan);
            }
        });
    }
    drop(ended);
    while let Ok(Some(())) = tokio::time::timeout(PATIENCE, ends.recv()).await {}
}

async fn read_one(context: &Context, source: &Wanted) {
    // The semaphore is never closed, so there is always a place in the end.
    let _place = context.readings.places.acquire().await.ok();
    let read = read_and_keep(context, source).await;
    let pause = context.readings.end(source, read.is_err(), context.clock.now());
    if let Err(error) = read {
        let (artifact, commit) = (&source.0, source.1.short());
        tracing::warn!(%artifact, commit, %error, ?pause, "could not look at a source, will look again");
    }
}

/// No lease guards this: what a commit says is the same whoever reads it.
async fn read_and_keep(context: &Context, (artifact, commit): &Wanted) -> Result<(), StageError> {
    let source = sourcing::read_commit(context, artifact, commit).await?;
    let mut tx = context.store.begin().await?;
    sources::put(&mut tx, &source).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_looked_at_again_after_a_growing_pause() {
        let source: Wanted = ("rpms/zlib#f44".parse().unwrap(), "a".repeat(40).parse().unwrap());
        let wanted = std::slice::from_ref(&source);
        let readings = Readings::default();
        let mut now = Timestamp::default();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            assert_eq!(readings.begin(wanted, now), wanted);
            assert_eq!(readings.begin(wanted, now), [], "it is being read");
            let pause = readings.end(&source, true, now);
            assert_eq!(readings.begin(wanted, now), [], "it failed just now");
            pauses.push(pause.as_secs());
            now = now + pause;
        }
        assert_eq!(pauses, [2, 4, 8, 15, 15, 15]);
        readings.begin(&[], now);
        assert_eq!(readings.begin(wanted, now), wanted);
        readings.end(&source, false, now);
        assert!(readings.known().is_empty());
    }
}
