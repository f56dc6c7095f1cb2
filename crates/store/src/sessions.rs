//! Sessions of people who logged in. Only digests of their secrets are kept.

use model::clock::Timestamp;
use model::digest::Digest;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::row::Row;
use crate::value::{args, json};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The SHA-256 digest of its secret.
    pub secret: Digest,
    /// Who logged in.
    pub name: String,
    /// What the session is good for.
    pub scopes: Vec<String>,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// Stores a session, and forgets those that have ended.
///
/// # Errors
/// [`crate::Error::Conflict`] when the secret is taken.
pub async fn put(tx: &mut Tx, session: &Session) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE ends <= $1", args![session.created]).await?;
    let sql = "INSERT INTO sessions (secret, name, scopes, created, ends) \
               VALUES ($1, $2, $3, $4, $5)";
    let mut values = args![session.secret, &session.name, json(&session.scopes)?];
    values.extend(args![session.created, session.end]);
    tx.execute(sql, values).await?;
    Ok(())
}

/// The session with this secret, if it has not ended.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn find(conn: &mut Conn, secret: Digest, now: Timestamp) -> Result<Option<Session>> {
    let sql = "SELECT secret, name, scopes, created, ends FROM sessions \
               WHERE secret = $1 AND ends > $2";
    conn.row("sessions", sql, args![secret, now]).await?.map(decode).transpose()
}

/// Ends a session, if there is one.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn end(tx: &mut Tx, secret: Digest) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE secret = $1", args![secret]).await?;
    Ok(())
}

fn decode(mut row: Row) -> Result<Session> {
    Ok(Session {
        secret: row.take()?,
        name: row.take()?,
        scopes: row.json()?,
        created: row.take()?,
        end: row.take()?,
    })
}
