//! The system's clock and the minting of ids: the only place that reads either.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::clock::{Clock, Timestamp};
use uuid::Uuid;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the present comes from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A new id, later than every one minted before in this process.
#[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
pub(crate) fn mint<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// A name for this process, under which it owns leases and builds.
#[expect(clippy::disallowed_methods, reason = "an owner's name is an id")]
pub(crate) fn owner() -> String {
    format!("{}-{}", std::process::id(), &Uuid::now_v7().simple().to_string()[..12])
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "this is where durations come from")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has been.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
