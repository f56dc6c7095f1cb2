//! Subscriptions: who wants to be told of what.

use model::clock::Timestamp;
use model::notice::Subscription;

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{args, json};

/// A stored subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its public number.
    pub number: i64,
    /// The subscription.
    pub subscription: Subscription,
    /// Since when.
    pub created: Timestamp,
}

/// Stores a subscription and gives its public number.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn insert(tx: &mut Tx, subscription: &Subscription, at: Timestamp) -> Result<i64> {
    let sql = "INSERT INTO subscriptions (document, created) VALUES ($1, $2) RETURNING number";
    tx.number("subscriptions", sql, args![json(subscription)?, at]).await
}

/// Removes a subscription.
///
/// # Errors
/// [`Error::Conflict`] when there is none of this number.
pub async fn remove(tx: &mut Tx, number: i64) -> Result<()> {
    match tx.execute("DELETE FROM subscriptions WHERE number = $1", args![number]).await? {
        0 => Err(Error::Conflict(format!("there is no subscription {number}"))),
        _ => Ok(()),
    }
}

/// Every subscription, in the order of making.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn) -> Result<Vec<Numbered>> {
    let sql = "SELECT number, document, created FROM subscriptions ORDER BY number";
    conn.rows("subscriptions", sql, vec![]).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    let select = "SELECT number, document, created FROM subscriptions";
    conn.check_rows("subscriptions", select, "number", decode).await
}

fn decode(mut row: Row) -> Result<Numbered> {
    Ok(Numbered { number: row.take()?, subscription: row.json()?, created: row.take()? })
}
