//! Stored messages -> the local bus: a file of JSON lines that anybody may follow.
//!
//! A message may appear twice after a kill; its id tells.

use std::io::Write as _;

use store::leases::{self, Lease};
use store::outbox;

use super::{Outcome, StageError};
use crate::context::Context;

/// Sends what waits to leave.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let pending = outbox::pending(&mut *context.store.read().await?, 100).await?;
    if pending.is_empty() {
        return Ok(Outcome::Idle);
    }
    let path = context.config.data.join("bus.jsonl");
    let mut lines = String::new();
    for message in &pending {
        let line =
            serde_json::json!({ "id": message.id, "topic": message.topic, "body": message.body });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    append(&path, &lines)
        .map_err(|error| StageError::Outside(format!("{}: {error}", path.display())))?;
    let now = context.clock.now();
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, now).await?;
    for message in &pending {
        outbox::mark_sent(&mut tx, message.id, now).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Busy)
}

fn append(path: &std::path::Path, lines: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}
