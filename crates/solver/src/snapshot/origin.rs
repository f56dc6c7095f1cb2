//! What a snapshot was made from, so that one that is stale is known without being opened.

#[cfg(feature = "read")]
use crate::load::repomd::Checksum;
use std::fmt;

/// The section that holds it.
pub(super) const SECTION: &str = "origin";

/// Facts in the order they are told. Snapshots whose facts are the same hold the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    facts: Vec<String>,
}

impl Origin {
    /// No repository yet, for a machine of this architecture.
    #[must_use]
    pub fn new(architecture: &str) -> Self {
        Self::default().with_fact(&format!("architecture {architecture}"))
    }

    /// A repository with its priority and its cost, and with the checksum of its `repomd.xml`, which has those of
    /// everything else.
    #[cfg(feature = "read")]
    #[must_use]
    pub fn with_repository(
        self,
        name: &str,
        (priority, cost): (i32, u32),
        checksum: &Checksum,
    ) -> Self {
        self.with_fact(&format!("repository {name} {priority} {cost} {checksum}"))
    }

    /// Whatever else has a part in it: whether file lists were read, the streams that were chosen, excludes.
    #[must_use]
    pub fn with_fact(mut self, fact: &str) -> Self {
        // A line each, as they are shown.
        self.facts.push(fact.escape_debug().to_string());
        self
    }

    /// All facts.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().map(String::as_str)
    }

    pub(super) fn text(&self) -> String {
        self.facts.join("\n")
    }

    pub(super) fn from_text(text: &str) -> Self {
        Self { facts: text.lines().map(str::to_owned).collect() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
