//! Rules as files: which events start a change, how far it goes, when its steps may start, and when a person is asked.
//!
//! What Millstream does without any rule of its users is the files in `rules/` ([`shipped`]). A file is read by [`mod@file`],
//! its conditions are compiled by [`condition`]; [`matching`] asks every rule about an event, and [`passage`] whether a
//! change goes on along an edge.

mod fields;
mod types;

pub mod condition;
pub mod limits;

pub mod file;
pub mod shipped;

pub mod matching;
pub mod passage;

pub mod explain;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::edge::EdgeKind;
use model::event::Severity;
use model::rule::{Hours, RuleId};

use condition::Condition;
use limits::Limits;

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, which is its file's name.
    pub id: RuleId,
    /// What it is for, in a sentence.
    pub description: String,
    /// The file it comes from, or nothing for what is shipped.
    pub origin: Origin,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The kinds of event it is asked about.
    pub on: Vec<EventKind>,
    /// How often its time comes.
    pub every: Option<Duration>,
    /// What must hold of the event and its artifact.
    pub when: Option<Condition>,
    /// What it does; a rule without only says how far and when what others start may go.
    pub action: Option<Action>,
    /// Whether it acts or only shows what it would do.
    pub mode: Mode,
    /// How grave the event is at least.
    pub severity: Option<Severity>,
    /// The edges along which the change goes on; for a rule that leaves, those along which it does not.
    pub follow: Vec<Follow>,
    /// How soon, how much, and when.
    pub limits: Limits,
}

/// Where a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is shipped with Millstream.
    Shipped,
    /// A file of the users'.
    File(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped"),
            Self::File(file) => f.write_str(file),
        }
    }
}

/// The kinds of event there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A branch points at another commit.
    Committed,
    /// Somebody asked.
    Requested,
    /// Another test system reports.
    TestResult,
    /// A branch is gone.
    BranchDeleted,
    /// The time of a rule has come.
    TimeElapsed,
}

impl EventKind {
    /// Every kind there is.
    pub const ALL: [Self; 5] = [
        Self::Committed,
        Self::Requested,
        Self::TestResult,
        Self::BranchDeleted,
        Self::TimeElapsed,
    ];

    /// Its name, as [`model::event::Event::kind`] gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Requested => "requested",
            Self::TestResult => "test-result",
            Self::BranchDeleted => "branch-deleted",
            Self::TimeElapsed => "time-elapsed",
        }
    }
}

/// What a rule does about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The artifact is built.
    Rebuild,
    /// It is tested.
    Retest,
    /// It is built if it is a compose; a rule that does this is about nothing else.
    Compose,
    /// People are told.
    Notify,
    /// The event starts nothing; with `follow`, the change does not go on along these edges.
    Leave,
}

impl Action {
    /// Every action there is.
    pub const ALL: [Self; 5] =
        [Self::Rebuild, Self::Retest, Self::Compose, Self::Notify, Self::Leave];

    /// Its name in files and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Retest => "retest",
            Self::Compose => "compose",
            Self::Notify => "notify",
            Self::Leave => "leave",
        }
    }

    /// Whether it starts a change.
    fn starts(self) -> bool {
        matches!(self, Self::Rebuild | Self::Retest | Self::Compose)
    }
}

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Real,
    /// A plan is stored beside the real one that shows what the rule would do, and never starts.
    DryRun,
}

impl Mode {
    /// Its name in files and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::DryRun => "dry-run",
        }
    }
}

/// Edges along which a change goes on, or does not.
#[derive(Clone, Debug)]
pub struct Follow {
    /// Their kinds.
    pub edges: Vec<EdgeKind>,
    /// What must hold of the edge and its ends.
    pub when: Option<Condition>,
    /// How many edges away from where the change starts the edge may end.
    pub depth: Option<u32>,
    /// In which hours the builds of what is reached may start.
    pub hours: Option<Hours>,
}

/// All rules, by id.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    /// The labels that conditions ask about.
    labels: BTreeSet<String>,
    asks_about: bool,
}

impl RuleSet {
    /// These rules; of two with one id the later one takes the place of the other.
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut set = Self::default();
        for rule in rules {
            match set.rules.binary_search_by(|known| known.id.cmp(&rule.id)) {
                Ok(at) => set.rules[at] = Arc::new(rule),
                Err(at) => set.rules.insert(at, Arc::new(rule)),
            }
        }
        let conditions = set.in_force().flat_map(|rule| {
            let on_edges = rule.follow.iter().filter_map(|follow| follow.when.as_ref());
            rule.when.iter().map(|when| (true, when)).chain(on_edges.map(|when| (false, when)))
        });
        let (mut labels, mut asks_about) = (BTreeSet::new(), false);
        for (on_event, condition) in conditions {
            labels.extend(condition.labels().cloned());
            asks_about |= on_event && condition.asks_about();
        }
        Self { labels, asks_about, ..set }
    }

    /// Every rule, those that are switched off included, by id.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter()
    }

    /// Those that are not switched off, by id.
    pub fn in_force(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter().filter(|rule| !rule.disabled)
    }

    /// Whether a rule is asked about events of this kind.
    pub fn is_on(&self, kind: EventKind) -> bool {
        self.in_force().any(|rule| rule.on.contains(&kind))
    }

    /// Whether the answer to an event depends on what the artifact's `millstream.toml` tells about it.
    pub fn asks_about(&self) -> bool {
        self.asks_about
    }
}
