//! Notices: what people should know, one for each cause; who wants to know; and how word reaches them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, InvalidName};
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EventId, NoticeId, PlanId};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A commit or a request cannot be followed.
    Rejected,
    /// Something could not be built.
    Failed,
    /// A gate refuses something.
    Held,
    /// A gate waits for a person.
    WaitingForSignOff,
    /// A plan touches more than its rule allows, and waits for a person.
    Proposed,
    /// A rule says that people should know.
    Rule,
    /// Something is in the published repository.
    Published,
    /// What a notice of trouble was about is well again.
    Fixed,
    /// What shadow mode would have done, against what was done.
    ShadowReport,
}

impl NoticeKind {
    /// Every kind there is.
    pub const ALL: [Self; 9] = [
        Self::Rejected,
        Self::Failed,
        Self::Held,
        Self::WaitingForSignOff,
        Self::Proposed,
        Self::Rule,
        Self::Published,
        Self::Fixed,
        Self::ShadowReport,
    ];

    /// Its name in columns, listings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::WaitingForSignOff => "waiting-for-sign-off",
            Self::Proposed => "proposed",
            Self::Rule => "rule",
            Self::Published => "published",
            Self::Fixed => "fixed",
            Self::ShadowReport => "shadow-report",
        }
    }

    /// Whether something is amiss, so that it can be well again.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Rejected | Self::Failed | Self::Held | Self::WaitingForSignOff)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NoticeKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| InvalidName {
            what: "kind of notice",
            text: text.to_owned(),
            expected: "rejected, failed, held, waiting-for-sign-off, proposed, rule, published, fixed or shadow-report",
        })
    }
}

/// What people should know, for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// The event in which the reasons of its members end.
    pub cause: Option<EventId>,
    /// The plan in which it came up.
    pub plan: Option<PlanId>,
    /// The notice of trouble that this one takes back.
    pub about: Option<NoticeId>,
    /// When it came up.
    pub opened: Timestamp,
    /// When its members changed last.
    pub changed: Timestamp,
    /// When it went out; until then more members join it.
    pub told: Option<Timestamp>,
    /// A text of its own, where there is more to say than its members do.
    pub text: Option<String>,
    /// The artifacts it is about, in the order in which they came up.
    pub members: Vec<Member>,
}

/// One artifact that a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// What is the matter, as a sentence.
    pub sentence: String,
    /// Since when.
    pub at: Timestamp,
    /// How its trouble ended, if it did.
    pub ended: Option<Ended>,
}

/// How a trouble ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It is well again.
    Fixed,
    /// Another notice is about it now.
    Moved,
}

impl Notice {
    /// Whether something of it may still change.
    pub fn is_open(&self) -> bool {
        let open = |member: &Member| member.ended.is_none();
        self.told.is_none() || (self.kind.is_trouble() && self.members.iter().any(open))
    }
}

/// A wish to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Who wants to know.
    pub person: String,
    /// How word reaches them.
    pub channel: Channel,
    /// Globs for the artifacts: `rpms/zlib#*`. Every artifact if there are none.
    pub artifacts: Vec<String>,
    /// What about.
    pub on: BTreeSet<NoticeKind>,
    /// When.
    pub pace: Pace,
}

/// How word reaches somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Channel {
    /// Mail.
    Mail {
        /// To this address.
        address: String,
    },
    /// A signed HTTP request (Standard Webhooks).
    Webhook {
        /// To this URL.
        url: String,
        /// Signed with this secret, `whsec_` and base64.
        secret: String,
    },
}

impl Channel {
    /// What kind of way it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail",
            Self::Webhook { .. } => "webhook",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail { address } => write!(f, "mail to {address}"),
            Self::Webhook { url, .. } => write!(f, "webhook {url}"),
        }
    }
}

/// When somebody is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// As soon as a notice is complete.
    #[default]
    Immediate,
    /// Once a day, all at once.
    Daily,
}

impl Pace {
    /// Its name in columns and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Daily => "daily",
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Pace {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Immediate, Self::Daily];
        all.into_iter().find(|pace| pace.as_str() == text).ok_or_else(|| InvalidName {
            what: "pace",
            text: text.to_owned(),
            expected: "immediate or daily",
        })
    }
}

/// Word on its way to somebody: one message about one or more notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id, under which the other side knows a repetition.
    pub id: DeliveryId,
    /// To whom.
    pub person: String,
    /// How.
    pub channel: Channel,
    /// At which pace it was asked for.
    pub pace: Pace,
    /// The delivery that this one follows up.
    pub follows: Option<DeliveryId>,
    /// When it is to go out next.
    pub due: Timestamp,
    /// How often that was tried.
    pub attempts: u32,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It waits to go out for the first time.
    Waiting,
    /// It did not reach the other side and is tried again.
    Retrying {
        /// What the other side, or the way there, said.
        problem: String,
    },
    /// The other side has it.
    Sent {
        /// Since when.
        at: Timestamp,
    },
    /// It is not tried any more.
    GivenUp {
        /// When that was decided.
        at: Timestamp,
        /// Why.
        problem: String,
    },
}

impl DeliveryState {
    /// Its name in columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retrying { .. } => "retrying",
            Self::Sent { .. } => "sent",
            Self::GivenUp { .. } => "given-up",
        }
    }
}
