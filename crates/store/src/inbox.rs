//! The inbox: messages as received, under the sender's id, before anything else happens to them.

use std::collections::{BTreeMap, HashSet};

use model::clock::Timestamp;
use model::digest::Digest;
use model::message::{InboxState, Message, Received};

use crate::connection::{Conn, Tx, with_rows};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args, json, rows_at_once};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT number, id, topic, body, at, state, detail FROM inbox ", $rest)
    };
}

/// Whether a message was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored now.
    Inserted,
    /// A message with this id is stored already; it stays as it is.
    Duplicate,
}

/// A message in the inbox with its place in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub number: i64,
    /// The message.
    pub received: Received,
}

/// Stores a message.
///
/// # Errors
/// [`Error::Unavailable`]: the message must not be acknowledged.
pub async fn receive(tx: &mut Tx, message: &Message, at: Timestamp) -> Result<Receipt> {
    let received = Received { message: message.clone(), at, state: InboxState::Received };
    let receipts = receive_many(tx, &[received]).await?;
    Ok(receipts.first().copied().unwrap_or(Receipt::Duplicate))
}

/// Stores many messages in the state they have, and says of each, in order, whether it was new.
///
/// A commit costs one write to the disk however many messages it holds: whoever receives many at once gathers them.
///
/// # Errors
/// [`Error::Unavailable`]: none of the messages may be acknowledged.
pub async fn receive_many(tx: &mut Tx, messages: &[Received]) -> Result<Vec<Receipt>> {
    const COLUMNS: usize = 7;
    let mut receipts = Vec::with_capacity(messages.len());
    for chunk in messages.chunks(rows_at_once(COLUMNS)) {
        let mut values = Vec::with_capacity(chunk.len() * COLUMNS);
        for Received { message, at, state } in chunk {
            values.extend(args![
                Digest::of(&message.id),
                message.id.as_bytes(),
                message.topic.as_bytes(),
                message.body.as_bytes(),
                *at,
                state.name(),
                json(state)?,
            ]);
        }
        let sql = "INSERT INTO inbox (digest, id, topic, body, at, state, detail) VALUES {} \
                   ON CONFLICT DO NOTHING RETURNING digest";
        let mut inserted: HashSet<Digest> = HashSet::new();
        for mut row in tx.insert_returning("inbox", sql, COLUMNS, values).await? {
            inserted.insert(row.take()?);
        }
        receipts.extend(chunk.iter().map(|received| {
            // The second of two messages with one id in one batch is the duplicate.
            match inserted.remove(&Digest::of(&received.message.id)) {
                true => Receipt::Inserted,
                false => Receipt::Duplicate,
            }
        }));
    }
    Ok(receipts)
}

/// The messages nobody has looked at yet, in the order of arrival.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn pending(conn: &mut Conn, limit: u32) -> Result<Vec<Entry>> {
    let sql = select!("WHERE state = 'received' ORDER BY number LIMIT $1");
    conn.rows("inbox", sql, args![limit]).await?.into_iter().map(decode).collect()
}

/// Records what became of messages that were not looked at before, each named once.
///
/// # Errors
/// [`Error::Conflict`] when somebody else did so first, or there is no such message.
pub async fn mark_many(tx: &mut Tx, marks: &[(&str, InboxState)]) -> Result<()> {
    const COLUMNS: usize = 3;
    for chunk in marks.chunks(rows_at_once(COLUMNS)) {
        let mut values = Vec::with_capacity(chunk.len() * COLUMNS);
        for (id, state) in chunk {
            values.extend(args![Digest::of(id), state.name(), json(state)?]);
        }
        let sql = "WITH marks (digest, state, detail) AS (VALUES {}) \
                   UPDATE inbox SET state = marks.state, detail = marks.detail FROM marks \
                   WHERE inbox.digest = marks.digest AND inbox.state = 'received'";
        if tx.execute(with_rows(sql, chunk.len(), COLUMNS), values).await? < chunk.len() as u64 {
            let ids: Vec<&str> = chunk.iter().map(|(id, _)| *id).collect();
            return Err(Error::Conflict(format!(
                "not every one of these messages waits to be looked at: {ids:?}"
            )));
        }
    }
    Ok(())
}

/// Lets a rejected or ignored message be looked at again; says whether it was one.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn replay(tx: &mut Tx, id: &str) -> Result<bool> {
    let state = InboxState::Received;
    let sql = "UPDATE inbox SET state = $2, detail = $3 \
               WHERE digest = $1 AND state IN ('rejected', 'ignored')";
    let touched = tx.execute(sql, args![Digest::of(id), state.name(), json(&state)?]).await?;
    Ok(touched > 0)
}

/// A message by its sender's id.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: &str) -> Result<Option<Entry>> {
    let sql = select!("WHERE digest = $1");
    conn.row("inbox", sql, args![Digest::of(id)]).await?.map(decode).transpose()
}

/// The newest messages, or those in the state of this name.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, state: Option<&str>, page: Page) -> Result<Vec<Entry>> {
    let mut filter = Filter::new("number", page);
    filter.equals("state", state);
    let (sql, values) = filter.query(select!(""), "number", page);
    conn.rows("inbox", sql, values).await?.into_iter().map(decode).collect()
}

/// How many messages there are in each state.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn count(conn: &mut Conn) -> Result<BTreeMap<String, u64>> {
    crate::health::count_by_state(conn, "SELECT state, count(*) FROM inbox GROUP BY state").await
}

/// When the last message came.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn last_received_at(conn: &mut Conn) -> Result<Option<Timestamp>> {
    let row = conn.row("inbox", "SELECT max(at) FROM inbox", vec![]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?.flatten())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("inbox", select!(""), "number", decode).await
}

fn decode(mut row: Row) -> Result<Entry> {
    fn text(bytes: Vec<u8>) -> Result<String, String> {
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
    let number = row.take()?;
    let message = Message {
        id: row.take_with(text)?,
        topic: row.take_with(text)?,
        body: row.take_with(text)?,
    };
    let at = row.take()?;
    let state = row.state(InboxState::name)?;
    Ok(Entry { number, received: Received { message, at, state } })
}
