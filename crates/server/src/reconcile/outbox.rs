//! Stored messages -> the local bus: a file of JSON lines that anybody may follow.
//!
//! A message may appear twice after a kill; its id tells.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

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

fn append(path: &Path, lines: &str) -> io::Result<()> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    file.set_len(whole_lines(&file)?)?;
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

/// The length up to the last line's end. A kill in the middle of writing leaves half a line, which was not recorded as
/// sent and will be written again.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..usize::try_from(end - start).unwrap_or_default()];
        file.read_exact_at(block, start)?;
        if let Some(newline) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_gives_way_to_the_next_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus.jsonl");
        let check = |before: &str, after: &str| {
            std::fs::write(&path, before).unwrap();
            append(&path, "new\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        };
        check("", "new\n");
        check("old\n", "old\nnew\n");
        check("old\nha", "old\nnew\n");
        check(&"half".repeat(3000), "new\n");
        let long = format!("old\n{}", "half".repeat(3000));
        check(&long, "old\nnew\n");
    }
}
