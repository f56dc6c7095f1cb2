//! Messages from a file of JSON lines, and messages that are looked at again.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use model::digest::Digest;
use model::message::{InboxState, Message, Received};
use pipeline::intake;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::inbox::{self, Receipt};

use super::{Admin, AdminError};

/// How many lines one transaction stores.
const AT_ONCE: usize = 256;

/// The topic of a line that could not be read as a message.
const UNREADABLE_TOPIC: &str = "millstream.unreadable-line";

/// What became of the lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Messages that are new.
    pub stored: u64,
    /// Messages whose id was known: nothing changed.
    pub duplicates: u64,
    /// Lines that could not be read; each is kept as a rejected message.
    pub rejected: Vec<BadLine>,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// `FILE:LINE`, and the field.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl Replay {
    /// Whether every line could be read.
    pub fn is_clean(&self) -> bool {
        self.rejected.is_empty()
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rejected.iter().try_for_each(|bad| writeln!(f, "{}: {}", bad.place, bad.reason))?;
        let Self { stored, duplicates, rejected } = self;
        writeln!(f, "{stored} stored, {duplicates} known already, {} rejected", rejected.len())?;
        if rejected.is_empty() {
            return Ok(());
        }
        writeln!(f, "rejected lines are kept: see `millstream event rejected`")
    }
}

/// A line of the file. The id may be left out; the body may be any JSON, or the text of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<String>,
    topic: String,
    body: Value,
}

impl Line {
    fn message(self, own_id: impl Fn() -> String) -> Message {
        let body = match self.body {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let id = self.id.filter(|id| !id.is_empty()).unwrap_or_else(own_id);
        Message { id, topic: self.topic, body }
    }
}

/// The messages of a file, each with its place.
///
/// # Errors
/// [`AdminError::Input`] for the first line that is none.
pub(super) fn messages(file: &Path) -> Result<Vec<(String, Message)>, AdminError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        AdminError::Input(format!("could not read {}: {error}", file.display()))
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let message = |(index, line): (usize, &str)| {
        let place = format!("{}:{}", file.display(), index + 1);
        let line: Line = serde_json::from_str(line).map_err(|error| {
            AdminError::Input(format!("{place}: the line is no message: {error}"))
        })?;
        let message = line.message(|| place.clone());
        Ok((place, message))
    };
    lines.map(message).collect()
}

impl Admin {
    /// Stores the messages of a file, one on each line. What cannot be read is kept as a rejected message.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the file cannot be opened; the lines before an error of the disk stay stored.
    pub async fn replay(&self, file: &Path) -> Result<Replay, AdminError> {
        let unreadable = |error: std::io::Error| {
            AdminError::Input(format!("could not read {}: {error}", file.display()))
        };
        let mut lines =
            BufReader::new(File::open(file).map_err(unreadable)?).split(b'\n').enumerate();
        let mut replay = Replay::default();
        loop {
            let mut batch = Vec::new();
            for (index, line) in lines.by_ref().take(AT_ONCE) {
                let line = line.map_err(unreadable)?;
                let place = format!("{}:{}", file.display(), index + 1);
                batch.push(self.received(&place, index + 1, &line));
            }
            if batch.is_empty() {
                return Ok(replay);
            }
            self.store_batch(batch.into_iter().flatten().collect(), &mut replay).await?;
        }
    }

    /// Lets a rejected or ignored message be looked at again, after whatever rejected it was mended.
    ///
    /// # Errors
    /// [`AdminError::Input`] when it is not one.
    pub async fn replay_message(&self, id: &str) -> Result<Replay, AdminError> {
        let again = self.write(async |tx| Ok(inbox::replay(tx, id).await?)).await?;
        match again {
            true => Ok(Replay { stored: 1, ..Replay::default() }),
            false => Err(AdminError::Input(format!(
                "{id:?} is no rejected or ignored message: `millstream event rejected` shows those there are"
            ))),
        }
    }

    /// The message of a line; none for a blank one.
    fn received(&self, place: &str, number: usize, line: &[u8]) -> Option<Received> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        // The same file gives the same ids, so that replaying it twice changes nothing.
        let own_id = || format!("replay:{}:{number}", Digest::of(text).short());
        let at = self.now();
        let (message, state) = match serde_json::from_str::<Line>(text) {
            Ok(line) => {
                let message = line.message(own_id);
                let state = state(place, &message.topic, &message.body);
                (message, state)
            }
            Err(error) => {
                let message = Message {
                    id: own_id(),
                    topic: UNREADABLE_TOPIC.to_owned(),
                    body: text.to_owned(),
                };
                let reason = format!("the line is no message: {error}");
                (message, InboxState::Rejected { place: place.to_owned(), reason })
            }
        };
        Some(Received { message, at, state })
    }

    async fn store_batch(
        &self,
        batch: Vec<Received>,
        replay: &mut Replay,
    ) -> Result<(), AdminError> {
        let receipts = self.write(async |tx| Ok(inbox::receive_many(tx, &batch).await?)).await?;
        for (received, receipt) in batch.into_iter().zip(receipts) {
            match (received.state, receipt) {
                (_, Receipt::Duplicate) => replay.duplicates += 1,
                (InboxState::Rejected { place, reason }, _) => {
                    replay.rejected.push(BadLine { place, reason });
                }
                _ => replay.stored += 1,
            }
        }
        Ok(())
    }
}

/// A message that cannot be read is rejected here already, since only here its line is known.
fn state(place: &str, topic: &str, body: &str) -> InboxState {
    match intake::read(topic, body) {
        Ok(_) => InboxState::Received,
        Err(unreadable) => InboxState::Rejected {
            place: format!("{place}: {}", unreadable.place),
            reason: unreadable.reason,
        },
    }
}
