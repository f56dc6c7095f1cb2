//! What stages work with that only read, write and remove: everything but the programs of builds and tests.

use model::clock::{Clock, Timestamp};
use store::leases::{self, Lease};
use store::{Store, Tx};

use crate::config::Config;
use crate::context::Context;

/// A store with its configuration, under a lease.
#[derive(Clone, Copy)]
pub(crate) struct Records<'a> {
    pub(crate) config: &'a Config,
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) lease: &'a Lease,
}

impl<'a> Records<'a> {
    /// Those of a stage.
    pub(crate) fn of(context: &'a Context, lease: &'a Lease) -> Self {
        let Context { config, store, clock, .. } = context;
        Self { config, store, clock: clock.as_ref(), lease }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Begins to write, which only the holder of the lease may.
    pub(crate) async fn begin(&self) -> Result<Tx, store::Error> {
        let mut tx = self.store.begin().await?;
        leases::guard(&mut tx, self.lease, self.now()).await?;
        Ok(tx)
    }
}
