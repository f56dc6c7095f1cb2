//! Actual builds: what other build systems made, as they tell.

use model::clock::Timestamp;
use model::shadow::ActualBuild;

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::row::Row;
use crate::value::args;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT b.number, a.kind, a.name, a.branch, b.nvr, b.made_by, b.system, b.at ",
            "FROM actual_builds b JOIN artifacts a ON a.id = b.artifact ",
            $rest
        )
    };
}

/// Stores what was built; a build that is told again, as by another tag, counts when it was told first.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn put(tx: &mut Tx, build: &ActualBuild) -> Result<()> {
    let artifact = artifacts::ensure(tx, &build.artifact).await?;
    let sql = "INSERT INTO actual_builds (artifact, nvr, made_by, system, at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (artifact, nvr, system) DO NOTHING";
    let mut values = args![artifact, &build.nvr, build.by.as_deref(), &build.system];
    values.extend(args![build.at]);
    tx.execute(sql, values).await?;
    Ok(())
}

/// What was built from `from` on and before `until`, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn between(
    conn: &mut Conn,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<ActualBuild>> {
    let sql = select!("WHERE b.at >= $1 AND b.at < $2 ORDER BY b.at, b.number");
    conn.rows("actual_builds", sql, args![from, until]).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("actual_builds", select!(""), "b.number", decode).await
}

fn decode(mut row: Row) -> Result<ActualBuild> {
    let _number: i64 = row.take()?;
    Ok(ActualBuild {
        artifact: row.artifact()?,
        nvr: row.take()?,
        by: row.take()?,
        system: row.take()?,
        at: row.take()?,
    })
}
