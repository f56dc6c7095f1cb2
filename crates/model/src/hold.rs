//! Freezes and holds: a person stops something for a while.

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactKey;
use crate::clock::Timestamp;
use crate::id::HoldId;

/// What a hold does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum HoldKind {
    /// The artifact is left out of plans.
    Freeze,
    /// The artifact is planned, and its steps do not start.
    Hold,
}

impl HoldKind {
    /// Its name in columns and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Hold => "hold",
        }
    }
}

/// A freeze or a hold, with author, reason and end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// What it does.
    pub kind: HoldKind,
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when; until it is released if none is given.
    pub end: Option<Timestamp>,
    /// When it was released before its end.
    pub released: Option<Timestamp>,
}

impl Hold {
    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.at <= now && self.end.is_none_or(|end| now < end) && self.released.is_none()
    }
}
