//! Approvals: that a person allows a proposed plan to touch more than its rule does.

use model::id::PlanId;
use model::rule::Approval;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::value::args;

/// Keeps that a plan was approved; false if it was before.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn put(tx: &mut Tx, plan: PlanId, approval: &Approval) -> Result<bool> {
    let sql = "INSERT INTO approvals (plan, author, reason, at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (plan) DO NOTHING";
    let values = args![plan, &approval.author, &approval.reason, approval.at];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Who approved a plan, if anybody did.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn of_plan(conn: &mut Conn, plan: PlanId) -> Result<Option<Approval>> {
    let sql = "SELECT author, reason, at FROM approvals WHERE plan = $1";
    let row = conn.row("approvals", sql, args![plan]).await?;
    row.map(|mut row| Ok(Approval { author: row.take()?, reason: row.take()?, at: row.take()? }))
        .transpose()
}
