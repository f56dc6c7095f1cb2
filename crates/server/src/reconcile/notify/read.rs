//! The ledger's new lines -> notices.

use std::time::Duration;

use model::decision::Decision;
use model::id::NoticeId;
use pipeline::notify::gather;
use store::notices;

use crate::clock::mint;
use crate::reconcile::StageError;
use crate::records::Records;

/// How many lines one transaction takes.
const AT_ONCE: u32 = 1000;

/// A trouble that nothing was heard of for so long is nobody's any more.
const LAPSES: Duration = Duration::from_secs(90 * 86_400);

/// Reads on; true if there may be more.
pub(super) async fn on(records: &Records<'_>) -> Result<bool, StageError> {
    if !notices::is_behind(&mut *records.store.read().await?).await? {
        return Ok(false);
    }
    let now = records.now();
    let mut tx = records.begin().await?;
    let lines = notices::unread(&mut tx, now, AT_ONCE).await?;
    let Some(last) = lines.last().map(|line| line.number) else {
        tx.commit().await?;
        return Ok(false);
    };
    let more = lines.len() == AT_ONCE as usize;
    let decisions: Vec<Decision> = lines.into_iter().map(|line| line.decision).collect();
    let open = notices::open(&mut tx, now - LAPSES).await?;
    for notice in gather(open, &decisions, &mut mint::<NoticeId>) {
        notices::put(&mut tx, &notice).await?;
    }
    notices::mark_read(&mut tx, last).await?;
    tx.commit().await?;
    Ok(more)
}
