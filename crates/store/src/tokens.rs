//! Tokens by which clients show who they are. Only digests of their secrets are kept.

use model::clock::Timestamp;
use model::digest::Digest;

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{args, json};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// The SHA-256 digest of its secret.
    pub secret: Digest,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// Since when.
    pub created: Timestamp,
    /// Until when; for ever if none is given.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it is good for anything at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT name, secret, scopes, created, expires, revoked FROM tokens ", $rest)
    };
}

/// Stores a token.
///
/// # Errors
/// [`Error::Conflict`] when the name or the secret is taken.
pub async fn put(tx: &mut Tx, token: &Token) -> Result<()> {
    let sql = "INSERT INTO tokens (name, secret, scopes, created, expires, revoked) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let mut values = args![&token.name, token.secret, json(&token.scopes)?, token.created];
    values.extend(args![token.expires, token.revoked]);
    tx.execute(sql, values).await?;
    Ok(())
}

/// The token with this secret, valid or not.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn find(conn: &mut Conn, secret: Digest) -> Result<Option<Token>> {
    let sql = select!("WHERE secret = $1");
    conn.row("tokens", sql, args![secret]).await?.map(decode).transpose()
}

/// Revokes a token.
///
/// # Errors
/// [`Error::Conflict`] when it is revoked already, or there is none of this name.
pub async fn revoke(tx: &mut Tx, name: &str, at: Timestamp) -> Result<()> {
    let sql = "UPDATE tokens SET revoked = $2 WHERE name = $1 AND revoked IS NULL";
    match tx.execute(sql, args![name, at]).await? {
        0 => Err(Error::Conflict(format!("{name:?} is no token that could be revoked"))),
        _ => Ok(()),
    }
}

/// Every token, sorted by name.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn) -> Result<Vec<Token>> {
    let sql = select!("ORDER BY name");
    conn.rows("tokens", sql, vec![]).await?.into_iter().map(decode).collect()
}

fn decode(mut row: Row) -> Result<Token> {
    Ok(Token {
        name: row.take()?,
        secret: row.take()?,
        scopes: row.json()?,
        created: row.take()?,
        expires: row.take()?,
        revoked: row.take()?,
    })
}
