//! Messages as they arrive, and what became of them.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::EventId;

/// A message from outside. It is stored verbatim under its id before anything else happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The sender's id; a second message with the same id changes nothing.
    pub id: String,
    /// What it is about, e.g. `git.ref`.
    pub topic: String,
    /// The body as received. It may be anything, well-formed or not.
    pub body: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum InboxState {
    /// Stored, and not yet looked at.
    Received,
    /// Became an event.
    Accepted {
        /// The event.
        event: EventId,
    },
    /// Well-formed, and of no concern to us.
    Ignored {
        /// Why.
        reason: String,
    },
    /// Could not be read. It stays, and can be replayed after a fix.
    Rejected {
        /// Where in the message, e.g. `body.branch`.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

impl InboxState {
    /// Its name in columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Accepted { .. } => "accepted",
            Self::Ignored { .. } => "ignored",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// A message in the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// When it came.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub state: InboxState,
}
