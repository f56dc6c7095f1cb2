//! What Millstream remembers, in SQLite or PostgreSQL.
//!
//! One concrete [`Store`] over typed pools, and one module of free functions for each aggregate.
//! Functions that read take a [`Conn`], functions that write take a [`Tx`], which is also a `Conn`; nothing a `Tx` did
//! is seen by anybody before [`Tx::commit`], and dropping it undoes everything, the outbox included.
//! Every query is written once, with `$1` placeholders, for both databases; the few places where they differ ask
//! [`Conn::dialect`].
//!
//! Texts lose NUL characters (they become U+FFFD), which PostgreSQL cannot hold; the inbox keeps bytes and loses nothing.

mod connection;
mod database;
mod error;
mod page;
mod row;
mod schema;
mod value;

// In the order in which a change travels; blank lines keep rustfmt from sorting them.

pub mod inbox;

pub mod events;

pub mod artifacts;
pub mod refs;
pub mod sources;

pub mod edges;
pub mod sets;

pub mod approvals;
pub mod plans;
pub mod steps;

pub mod builds;

pub mod test_runs;

pub mod results;
pub mod waivers;

pub mod holds;
pub mod publications;

pub mod decisions;
pub mod outbox;

pub mod actual_builds;
pub mod shadow_reports;

pub mod deliveries;
pub mod notices;
pub mod subscriptions;

pub mod audit;
pub mod changes;
pub mod packages;
pub mod removals;
pub mod sessions;

pub mod health;
pub mod leases;
pub mod timers;
pub mod tokens;

#[cfg(feature = "testing")]
pub mod testing;

pub use connection::{Conn, Dialect, Reader, Tx};
pub use database::{Options, Store};
pub use error::{Error, Result};
pub use page::Page;
pub use schema::MigrationStatus;
