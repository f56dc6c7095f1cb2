//! Notices: what people should know, and how far the ledger was read for them.

use model::clock::Timestamp;
use model::decision::NumberedDecision;
use model::id::NoticeId;
use model::notice::{Notice, NoticeKind};

use crate::connection::{Conn, Dialect, Tx};
use crate::decisions;
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args, json};

/// A stored notice with its place in the order of coming up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedNotice {
    /// Its place.
    pub number: i64,
    /// The notice.
    pub notice: Notice,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT n.number, n.id, n.kind, n.cause, n.plan, n.about, n.opened, n.changed, ",
            "n.told, n.text, n.members FROM notices n ",
            $rest
        )
    };
}

/// Stores a notice as it is now.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn put(tx: &mut Tx, notice: &Notice) -> Result<()> {
    let sql = "INSERT INTO notices (id, kind, cause, plan, about, opened, changed, told, is_open, \
               text, members) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
               ON CONFLICT (id) DO UPDATE SET plan = excluded.plan, changed = excluded.changed, \
               told = excluded.told, is_open = excluded.is_open, members = excluded.members";
    let mut values = args![notice.id, notice.kind.as_str(), notice.cause, notice.plan];
    values.extend(args![notice.about, notice.opened, notice.changed, notice.told]);
    values.extend(args![notice.is_open(), notice.text.as_deref(), json(&notice.members)?]);
    tx.execute(sql, values).await?;
    Ok(())
}

/// The notices of which something may still change and did since `since`, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn open(conn: &mut Conn, since: Timestamp) -> Result<Vec<Notice>> {
    let sql = select!("WHERE n.is_open = 1 AND n.changed >= $1 ORDER BY n.number");
    let rows = conn.rows("notices", sql, args![since]).await?;
    rows.into_iter().map(|row| decode(row).map(|numbered| numbered.notice)).collect()
}

/// The notices that have not gone out, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn untold(conn: &mut Conn) -> Result<Vec<Notice>> {
    let sql = select!("WHERE n.told IS NULL ORDER BY n.number");
    let rows = conn.rows("notices", sql, vec![]).await?;
    rows.into_iter().map(|row| decode(row).map(|numbered| numbered.notice)).collect()
}

/// A notice by its id.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: NoticeId) -> Result<Option<Notice>> {
    let row = conn.row("notices", select!("WHERE n.id = $1"), args![id]).await?;
    row.map(|row| decode(row).map(|numbered| numbered.notice)).transpose()
}

/// The newest notices that went out, of one kind or of all.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    kind: Option<NoticeKind>,
    page: Page,
) -> Result<Vec<NumberedNotice>> {
    let mut filter = Filter::new("n.number", page);
    filter.equals("n.kind", kind.map(NoticeKind::as_str));
    filter.and("n.told IS NOT NULL");
    let (sql, values) = filter.query(select!(""), "n.number", page);
    conn.rows("notices", sql, values).await?.into_iter().map(decode).collect()
}

/// The counter that says how far the ledger was read.
const CURSOR: &str = "notices";

/// How far behind the present the ledger is read on PostgreSQL, where a line may become visible after a later one.
const BEHIND: std::time::Duration = std::time::Duration::from_secs(3);

/// Whether the ledger has lines that were not read yet, or reading has not begun.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn is_behind(conn: &mut Conn) -> Result<bool> {
    let sql = "SELECT (SELECT max(number) FROM decisions), value FROM counters WHERE name = $1";
    let Some(mut row) = conn.row("counters", sql, args![CURSOR]).await? else { return Ok(true) };
    let (last, read): (Option<i64>, i64) = (row.take()?, row.take()?);
    Ok(last.is_some_and(|last| last > read))
}

/// The lines of the ledger that were not read yet, the oldest first. The first call ever begins at its present end: what
/// happened before anybody could ask to be told is nobody's news.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn unread(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<NumberedDecision>> {
    let sql = "SELECT name, value FROM counters WHERE name = $1";
    let Some(mut row) = tx.row("counters", sql, args![CURSOR]).await? else {
        let sql = "INSERT INTO counters (name, value) \
                   SELECT $1, coalesce(max(number), 0) FROM decisions";
        tx.execute(sql, args![CURSOR]).await?;
        return Ok(Vec::new());
    };
    let _name: String = row.take()?;
    // Dialect: SQLite has one writer, so its lines become visible in their order.
    let until = match tx.dialect() {
        Dialect::Sqlite => now,
        Dialect::Postgres => now - BEHIND,
    };
    decisions::after(tx, row.take()?, until, limit).await
}

/// Records that the ledger was read up to this line.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn mark_read(tx: &mut Tx, number: i64) -> Result<()> {
    let sql = "UPDATE counters SET value = $2 WHERE name = $1";
    tx.execute(sql, args![CURSOR, number]).await?;
    Ok(())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("notices", select!(""), "n.number", decode).await
}

fn decode(mut row: Row) -> Result<NumberedNotice> {
    Ok(NumberedNotice {
        number: row.take()?,
        notice: Notice {
            id: row.take()?,
            kind: row.word()?,
            cause: row.take()?,
            plan: row.take()?,
            about: row.take()?,
            opened: row.take()?,
            changed: row.take()?,
            told: row.take()?,
            text: row.take()?,
            members: row.json()?,
        },
    })
}
