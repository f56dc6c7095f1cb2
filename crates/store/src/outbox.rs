//! The outbox: what is to be told to others, stored with what it tells about.

use model::clock::Timestamp;
use model::id::OutboxId;

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{args, json};

/// A message that waits to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id, by which the receiver tells a repetition.
    pub id: OutboxId,
    /// What it is about.
    pub topic: String,
    /// What it says.
    pub body: serde_json::Value,
    /// When it was stored.
    pub at: Timestamp,
}

/// Stores a message; it leaves if and only if the transaction is committed.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken.
pub async fn push(tx: &mut Tx, message: &Outgoing) -> Result<()> {
    let sql = "INSERT INTO outbox (id, topic, body, at) VALUES ($1, $2, $3, $4)";
    let values = args![message.id, &message.topic, json(&message.body)?, message.at];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The messages that have not left, in the order of storing.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn pending(conn: &mut Conn, limit: u32) -> Result<Vec<Outgoing>> {
    let sql = "SELECT number, id, topic, body, at FROM outbox WHERE sent IS NULL \
               ORDER BY number LIMIT $1";
    conn.rows("outbox", sql, args![limit]).await?.into_iter().map(decode).collect()
}

/// Records that a message left.
///
/// # Errors
/// [`Error::Conflict`] when that was recorded before, or there is no such message.
pub async fn mark_sent(tx: &mut Tx, id: OutboxId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE outbox SET sent = $2 WHERE id = $1 AND sent IS NULL";
    match tx.execute(sql, args![id, at]).await? {
        0 => Err(Error::Conflict(format!("message {id} does not wait to leave"))),
        _ => Ok(()),
    }
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    let select = "SELECT number, id, topic, body, at FROM outbox";
    conn.check_rows("outbox", select, "number", decode).await
}

fn decode(mut row: Row) -> Result<Outgoing> {
    let _number: i64 = row.take()?;
    Ok(Outgoing { id: row.take()?, topic: row.take()?, body: row.json()?, at: row.take()? })
}
