//! Freezes and holds. They are never deleted: each is released or has its end.

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::hold::Hold;
use model::id::HoldId;

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args, word};

/// A freeze or a hold with its public number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedHold {
    /// Its number, in the order of recording.
    pub number: i64,
    /// The freeze or hold.
    pub hold: Hold,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT h.number, h.id, h.kind, a.kind, a.name, a.branch, h.author, h.reason, h.at, ",
            "h.ends, h.released FROM holds h JOIN artifacts a ON a.id = h.artifact ",
            $rest
        )
    };
}

/// Records a freeze or a hold and gives its public number.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken.
pub async fn insert(tx: &mut Tx, hold: &Hold) -> Result<i64> {
    let artifact = artifacts::ensure(tx, &hold.artifact).await?;
    let sql = "INSERT INTO holds (id, kind, artifact, author, reason, at, ends, released) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number";
    let mut values = args![hold.id, word(&hold.kind)?, artifact, &hold.author, &hold.reason];
    values.extend(args![hold.at, hold.end, hold.released]);
    tx.number("holds", sql, values).await
}

/// Releases a freeze or a hold before its end.
///
/// # Errors
/// [`Error::Conflict`] when it is released already, or there is none.
pub async fn release(tx: &mut Tx, id: HoldId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE holds SET released = $2 WHERE id = $1 AND released IS NULL";
    match tx.execute(sql, args![id, at]).await? {
        0 => Err(Error::Conflict(format!("{id} is no hold that could be released"))),
        _ => Ok(()),
    }
}

/// The freezes and holds in force at `now`, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn in_force(conn: &mut Conn, now: Timestamp) -> Result<Vec<Hold>> {
    let sql = select!("WHERE h.released IS NULL ORDER BY h.number");
    let rows = conn.rows("holds", sql, vec![]).await?;
    let all: Vec<NumberedHold> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    // The model says what "in force" means.
    Ok(all.into_iter().map(|numbered| numbered.hold).filter(|h| h.is_in_force(now)).collect())
}

/// A freeze or a hold by its public number.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<NumberedHold>> {
    let sql = select!("WHERE h.number = $1");
    conn.row("holds", sql, args![number]).await?.map(decode).transpose()
}

/// The newest freezes and holds, of one artifact or of all, those in force at a time or all.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    artifact: Option<&ArtifactKey>,
    in_force_at: Option<Timestamp>,
    page: Page,
) -> Result<Vec<NumberedHold>> {
    let mut filter = Filter::new("h.number", page);
    if let Some(key) = artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("h.artifact", Some(id));
    }
    if let Some(now) = in_force_at {
        // What `Hold::is_in_force` says, for the database to choose by.
        filter.and("h.released IS NULL");
        filter.compares("h.at", "<=", now);
        filter.compares("coalesce(h.ends, 9223372036854775807)", ">", now);
    }
    let (sql, values) = filter.query(select!(""), "h.number", page);
    conn.rows("holds", sql, values).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("holds", select!(""), "h.number", decode).await
}

fn decode(mut row: Row) -> Result<NumberedHold> {
    let number = row.take()?;
    let hold = Hold {
        id: row.take()?,
        kind: row.word()?,
        artifact: row.artifact()?,
        author: row.take()?,
        reason: row.take()?,
        at: row.take()?,
        end: row.take()?,
        released: row.take()?,
    };
    Ok(NumberedHold { number, hold })
}
