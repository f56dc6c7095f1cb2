//! Timers: the period of each rule on time that came last, so that each comes once.

use model::rule::RuleId;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::value::args;

/// The period that came last; none if the rule was never seen.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn last(conn: &mut Conn, rule: &RuleId) -> Result<Option<i64>> {
    let sql = "SELECT period FROM timers WHERE rule = $1";
    let row = conn.row("timers", sql, args![rule.as_str()]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// Keeps that this period has come.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn put(tx: &mut Tx, rule: &RuleId, period: i64) -> Result<()> {
    let sql = "INSERT INTO timers (rule, period) VALUES ($1, $2) \
               ON CONFLICT (rule) DO UPDATE SET period = excluded.period";
    tx.execute(sql, args![rule.as_str(), period]).await?;
    Ok(())
}
