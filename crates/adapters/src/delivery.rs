//! Word to people and their programs: by mail, and by signed HTTP requests.

pub mod mail;
pub mod webhook;

mod guard;

/// Why the other side does not have it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Undelivered {
    /// What the other side, or the way there, said.
    pub problem: String,
    /// Whether trying again is of no use.
    pub for_good: bool,
}

impl Undelivered {
    fn for_now(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), for_good: false }
    }

    fn for_good(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), for_good: true }
    }
}
