//! Shadow reports: one for each day.

use model::clock::Timestamp;
use model::shadow::ShadowReport;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::row::Row;
use crate::value::{args, json};

/// Stores a report.
///
/// # Errors
/// [`crate::Error::Conflict`] when there is one that begins at the same time.
pub async fn insert(tx: &mut Tx, report: &ShadowReport, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO shadow_reports (begins, ends, document, at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, args![report.from, report.until, json(report)?, at]).await?;
    Ok(())
}

/// The newest reports, the newest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(conn: &mut Conn, limit: u32) -> Result<Vec<ShadowReport>> {
    let sql = "SELECT begins, document FROM shadow_reports ORDER BY begins DESC LIMIT $1";
    conn.rows("shadow_reports", sql, args![limit]).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    let sql = "SELECT begins, document FROM shadow_reports ORDER BY begins";
    let rows = conn.rows("shadow_reports", sql, vec![]).await?;
    rows.into_iter().try_for_each(|row| decode(row).map(drop))
}

fn decode(mut row: Row) -> Result<ShadowReport> {
    let _begins: i64 = row.take()?;
    row.json()
}
