//! Leases: who may do a thing for a while, with an epoch that fences the holder before.

use std::time::Duration;

use model::clock::Timestamp;

use crate::connection::{Dialect, Tx};
use crate::error::{Error, Result};
use crate::value::args;

/// The right to do a thing. Another holder gets a higher epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What may be done.
    pub name: String,
    /// By whom: a name no other process has, also not this one after a restart.
    pub holder: String,
    /// Counts the holders.
    pub epoch: i64,
}

/// Takes a lease, unless somebody has it.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn acquire(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    now: Timestamp,
    ttl: Duration,
) -> Result<Option<Lease>> {
    let sql = "INSERT INTO leases (name, holder, until, epoch) VALUES ($1, $2, $3, 1) \
               ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
               until = excluded.until, epoch = leases.epoch + 1 WHERE leases.until <= $4 \
               RETURNING epoch";
    let row = tx.row("leases", sql, args![name, holder, now + ttl, now]).await?;
    row.map(|mut row| {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        Ok(Lease { name, holder, epoch: row.take()? })
    })
    .transpose()
}

/// Keeps a lease for longer; says whether it is still held. An expired lease nobody took is kept as well.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn renew(tx: &mut Tx, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<bool> {
    let sql = "UPDATE leases SET until = $4 WHERE name = $1 AND holder = $2 AND epoch = $3";
    let values = args![&lease.name, &lease.holder, lease.epoch, now + ttl];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Gives a lease back, if it is still held.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn release(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let sql = "UPDATE leases SET until = 0, holder = '' \
               WHERE name = $1 AND holder = $2 AND epoch = $3";
    tx.execute(sql, args![&lease.name, &lease.holder, lease.epoch]).await?;
    Ok(())
}

/// Gives back everything a holder has, who is known to be gone.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn release_all(tx: &mut Tx, holder: &str) -> Result<()> {
    let sql = "UPDATE leases SET until = 0, holder = '' WHERE holder = $1";
    tx.execute(sql, args![holder]).await?;
    Ok(())
}

/// Makes sure that the lease is held until the transaction ends: nobody can take it before.
///
/// # Errors
/// [`Error::Conflict`] when somebody else took it, or it has expired.
pub async fn guard(tx: &mut Tx, lease: &Lease, now: Timestamp) -> Result<()> {
    // Dialect: on SQLite the transaction itself keeps whoever wants the lease waiting.
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT name FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3 AND until > $4"
        }
        Dialect::Postgres => {
            "SELECT name FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3 AND until > $4 \
             FOR SHARE"
        }
    };
    let values = args![&lease.name, &lease.holder, lease.epoch, now];
    match tx.row("leases", sql, values).await? {
        Some(_) => Ok(()),
        None => Err(Error::Conflict(format!(
            "{} does not hold the lease {:?} any more",
            lease.holder, lease.name
        ))),
    }
}
