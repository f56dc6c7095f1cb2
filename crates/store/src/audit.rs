//! The audit log: every write that came over HTTP, with who made it. Only ever appended, and completed once.

use model::clock::Timestamp;
use model::digest::Digest;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args};

/// A write over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it came.
    pub at: Timestamp,
    /// Whose token or session it came with.
    pub actor: String,
    /// The address it came from.
    pub remote: String,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// The digest of its body.
    pub body: Digest,
    /// The id of the request, as the answer and the log have it.
    pub request: String,
    /// The status of the answer; none while the write is under way, or if its end could not be recorded.
    pub status: Option<u32>,
}

/// A write with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedEntry {
    /// Its place.
    pub number: i64,
    /// The write.
    pub entry: AuditEntry,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.number, a.at, a.actor, a.remote, a.method, a.path, a.body, a.request, ",
            "a.status FROM audit a ",
            $rest
        )
    };
}

/// Appends writes to the log, in their order.
///
/// # Errors
/// [`crate::Error::Unavailable`]: what is not in the log must not be done.
pub async fn append_many(tx: &mut Tx, entries: &[AuditEntry]) -> Result<()> {
    let mut values = Vec::with_capacity(entries.len() * 8);
    for entry in entries {
        values.extend(args![entry.at, &entry.actor, &entry.remote, &entry.method, &entry.path]);
        values.extend(args![entry.body, &entry.request, entry.status]);
    }
    let sql = "INSERT INTO audit (at, actor, remote, method, path, body, request, status) \
               VALUES {}";
    tx.insert_rows(sql, 8, values).await
}

/// Appends a write that is about to be done, and gives its place.
///
/// # Errors
/// [`crate::Error::Unavailable`]: what is not in the log must not be done.
pub async fn begin(tx: &mut Tx, entry: &AuditEntry) -> Result<i64> {
    let sql = "INSERT INTO audit (at, actor, remote, method, path, body, request, status) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number";
    let mut values =
        args![entry.at, &entry.actor, &entry.remote, &entry.method, &entry.path, entry.body];
    values.extend(args![&entry.request, entry.status]);
    tx.number("audit", sql, values).await
}

/// Records how a write ended, unless that is recorded already.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn complete(tx: &mut Tx, number: i64, status: u32) -> Result<()> {
    let sql = "UPDATE audit SET status = $2 WHERE number = $1 AND status IS NULL";
    tx.execute(sql, args![number, status]).await?;
    Ok(())
}

/// The newest writes, of one actor or of all.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(conn: &mut Conn, actor: Option<&str>, page: Page) -> Result<Vec<NumberedEntry>> {
    let mut filter = Filter::new("a.number", page);
    filter.equals("a.actor", actor);
    let (sql, values) = filter.query(select!(""), "a.number", page);
    conn.rows("audit", sql, values).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("audit", select!(""), "a.number", decode).await
}

fn decode(mut row: Row) -> Result<NumberedEntry> {
    let number = row.take()?;
    let entry = AuditEntry {
        at: row.take()?,
        actor: row.take()?,
        remote: row.take()?,
        method: row.take()?,
        path: row.take()?,
        body: row.take()?,
        request: row.take()?,
        status: row.take()?,
    };
    Ok(NumberedEntry { number, entry })
}
