//! A folder of bare git repositories, `DISTGIT/rpms/NAME.git`: its refs are the truth about what was committed.

mod admin;
mod git;
mod read;
mod scan;

use std::io;
use std::path::{Path, PathBuf};

pub use admin::{HookState, create_repository, init, install_hook, wake_command, wake_file};
use model::artifact::{ArtifactKind, ArtifactName, InvalidName};
pub use read::{
    CommitInfo, commit_info, export, export_worktree, is_ancestor, read_file, resolve_commit,
    tree_id,
};
pub use scan::{RefTip, Scan, ScanProblem, Scanner};

use crate::repository::CommandError;

/// Why dist-git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum DistGitError {
    /// git could not do what was asked of it in a repository.
    #[error("{repository}: {source}")]
    Git {
        /// The repository, e.g. `rpms/zlib`, or a folder.
        repository: String,
        /// What git said.
        source: CommandError,
    },
    /// A repository that was there is there no more.
    #[error("{repository} has vanished from dist-git")]
    Vanished {
        /// The repository.
        repository: String,
    },
    /// Some refs of a repository are damaged; which others there are cannot be trusted.
    #[error("{repository} is damaged: {message}")]
    Damaged {
        /// The repository.
        repository: String,
        /// What git said.
        message: String,
    },
    /// A name that cannot be an artifact's or a branch's.
    #[error("{place}: {source}")]
    Name {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        source: InvalidName,
    },
    /// git printed what cannot be understood.
    #[error("{repository}: git printed {printed:?}")]
    Unexpected {
        /// The repository.
        repository: String,
        /// What it printed.
        printed: String,
    },
    /// A revision that names no commit.
    #[error("{repository} has no commit {revision:?}")]
    NoCommit {
        /// The repository.
        repository: String,
        /// The revision as it was given.
        revision: String,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder to export to holds something.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The worker died.
    #[error("a worker of dist-git died: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DistGitError + '_ {
    move |source| DistGitError::Io { path: path.to_owned(), source }
}

/// A repository in dist-git, written `rpms/zlib`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    /// The namespace.
    pub kind: ArtifactKind,
    /// The name in it.
    pub name: ArtifactName,
}

impl RepositoryName {
    /// Its folder in a dist-git.
    pub fn path(&self, root: &Path) -> PathBuf {
        root.join(self.kind.as_str()).join(format!("{}.git", self.name))
    }
}

impl std::fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl std::str::FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "repository",
            text: text.to_owned(),
            expected: "KIND/NAME, e.g. rpms/zlib",
        };
        let (kind, name) = text.split_once('/').ok_or_else(invalid)?;
        Ok(Self { kind: kind.parse()?, name: name.parse()? })
    }
}
