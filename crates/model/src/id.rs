//! Ids of things: UUIDv7, minted by the server, so that they sort by time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// An event in the ledger.
    EventId,
    /// A plan.
    PlanId,
    /// A build.
    BuildId,
    /// One run of the test cases of a build.
    TestRunId,
    /// The result of one test case.
    ResultId,
    /// A waiver or a sign-off.
    WaiverId,
    /// A freeze or a hold.
    HoldId,
    /// A message that waits to leave.
    OutboxId,
    /// What people should know of one cause.
    NoticeId,
    /// Word on its way to somebody.
    DeliveryId,
}
