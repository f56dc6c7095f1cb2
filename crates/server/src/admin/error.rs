//! What can go wrong, sorted by whose turn it is.

use crate::context::StartError;
use crate::reconcile::StageError;

/// Why a question has no answer, or an intervention was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// What was asked for is wrong: the message says what, where, and what to do next.
    #[error("{0}")]
    Input(String),
    /// There is no such thing: the message says where to look for those there are.
    #[error("{0}")]
    NotFound(String),
    /// It does not go with how things stand: the message says what to do first.
    #[error("{0}")]
    Unfit(String),
    /// It does not look any more as whoever asks has seen it.
    #[error("{0}")]
    Outdated(String),
    /// The database.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// An outside program, or the disk.
    #[error("{0}")]
    Outside(String),
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Whoever asked.
    Input,
    /// Whoever looks after the machine, its database or its disk.
    Outside,
    /// Whoever maintains Millstream.
    Internal,
}

impl AdminError {
    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        use store::Error as E;
        match self {
            Self::Input(_)
            | Self::NotFound(_)
            | Self::Unfit(_)
            | Self::Outdated(_)
            | Self::Store(E::Address { .. }) => ErrorKind::Input,
            Self::Store(E::Inconsistent { .. } | E::Refused(_)) => ErrorKind::Internal,
            Self::Store(E::Unavailable(_) | E::Conflict(_) | E::Migration(_))
            | Self::Outside(_) => ErrorKind::Outside,
        }
    }

    pub(crate) fn outside(error: impl std::fmt::Display) -> Self {
        Self::Outside(error.to_string())
    }

    pub(crate) fn input(error: impl std::fmt::Display) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<StageError> for AdminError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Store(error) => Self::Store(error),
            StageError::Outside(problem) => Self::Outside(problem),
        }
    }
}

impl From<StartError> for AdminError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => Self::Store(error),
            StartError::Policy { .. } | StartError::Rules(_) => Self::input(error),
            error => Self::outside(error),
        }
    }
}
