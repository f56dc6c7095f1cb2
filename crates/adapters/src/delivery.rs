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

/// What a program built without TLS says when it is asked for.
#[cfg(not(feature = "tls"))]
const NO_TLS: &str = "this program was built without TLS: build it with the feature `tls`";
