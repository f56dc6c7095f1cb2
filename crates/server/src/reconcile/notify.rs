//! Decisions -> notices -> word to people.
//!
//! Each of the three is committed before the next begins: what people should know, who is to be told, and that they were.
//! A kill between sending and recording that sends once more, under the same id, by which the other side knows it.

mod deliver;
mod dispatch;
mod read;

pub(crate) mod told;

pub(crate) use dispatch::all_wishes;

use store::leases::Lease;

use super::{Outcome, StageError};
use crate::context::Context;
use crate::records::Records;

/// Reads the ledger on, tells who wants to know, and sends what is due.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    go_on(&Records::of(context, lease)).await
}

async fn go_on(records: &Records<'_>) -> Result<Outcome, StageError> {
    let more = read::on(records).await?;
    dispatch::tell(records).await?;
    let sent = deliver::send(records).await?;
    Ok(if more || sent { Outcome::Busy } else { Outcome::Idle })
}

#[cfg(test)]
mod tests;
