//! What can go wrong between here and a repository elsewhere.

use std::io;
use std::path::PathBuf;

use hyper::StatusCode;
use solver::load::malformed::Malformed;

use crate::http::HttpError;
use crate::repository::RepositoryError;

/// Why a repository could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// What was named cannot be fetched from.
    #[error("{0}")]
    Address(String),
    /// The server cannot be reached, or the connection was lost.
    #[error("could not fetch {url}: {problem}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the way there said.
        problem: String,
    },
    /// The server answers, but not with the file.
    #[error("could not fetch {url}: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// Its status.
        status: StatusCode,
    },
    /// The server sends elsewhere, and that is not gone to.
    #[error("could not fetch {url}: it redirects {problem}")]
    Redirected {
        /// What was asked for.
        url: String,
        /// Where to, and why not.
        problem: String,
    },
    /// The server takes too long.
    #[error("could not fetch {url}: {problem}")]
    Slow {
        /// What was asked for.
        url: String,
        /// For what, and how long.
        problem: String,
    },
    /// There is more than there may be.
    #[error("{url} is larger than {limit} bytes, which is the most that is taken")]
    TooLarge {
        /// The file.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// A file has another size than `repomd.xml` states.
    #[error("{url} has {found} bytes instead of the {expected} that repomd.xml states")]
    Size {
        /// The file.
        url: String,
        /// What it should have.
        expected: u64,
        /// What it has, or has at least.
        found: u64,
    },
    /// A file is another than `repomd.xml` speaks of.
    #[error(
        "{url} has the {function} checksum {found} instead of {expected}, which repomd.xml states"
    )]
    Checksum {
        /// The file.
        url: String,
        /// The checksum's function.
        function: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The `repomd.xml` is not what its format asks for.
    #[error("{url}, {what}")]
    Malformed {
        /// The file.
        url: String,
        /// What is wrong, and in which line.
        what: Malformed,
    },
    /// The cache cannot be used; the disk may be full.
    #[error("could not use the cache {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cache cannot be locked, or the link in it is not its own.
    #[error("could not use the cache: {0}")]
    Folder(#[from] RepositoryError),
    /// A worker died.
    #[error("a worker of the cache died: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

impl FetchError {
    /// Whether what was asked for is wrong, rather than the server, the network or the disk.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Whether it may come from the repository being made anew while it was read.
    pub(super) fn may_be_of_a_change(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE)
            }
            Self::Size { .. } | Self::Checksum { .. } => true,
            _ => false,
        }
    }

    pub(super) fn unreachable(url: &str, error: &HttpError) -> Self {
        Self::Unreachable { url: url.to_owned(), problem: error.to_string() }
    }
}

/// Puts the file in front of what the system says.
pub(super) fn cache_error(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.into();
    |source| FetchError::Cache { path, source }
}
