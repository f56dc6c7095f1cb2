//! Folders of RPMs with their metadata: snapshots that builds resolve against, and the published generations.
//!
//! Layout: `ROOT/SNAPSHOT-ID/` for snapshots; `ROOT/BRANCH/generation-N/` and the symbolic link
//! `ROOT/BRANCH/current` for what is published, with images in `images/NAME` of a generation. A folder is filled under a temporary name and renamed, so one with
//! its final name is whole.

pub(crate) mod command;
pub(crate) mod folder;
mod images;
pub(crate) mod publish;
mod snapshot;

use std::io;
use std::path::{Path, PathBuf};

pub use command::CommandError;
pub(crate) use folder::RPM_MAGIC;
use model::digest::Digest;
pub use publish::{
    Contents, current_generation, generation_folder, generations, publish, remove_generation,
};
pub use snapshot::{SnapshotId, remove_snapshot, snapshot_id, snapshots, write_snapshot};

/// Why a repository could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A package is not there or cannot be read.
    #[error("could not read the package {}: {source}", path.display())]
    Package {
        /// The package.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An image is not there or cannot be read.
    #[error("could not read the image {}: {source}", path.display())]
    Image {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that names no RPM file.
    #[error("{} is not named like a package (NAME.rpm)", path.display())]
    Name {
        /// The path.
        path: PathBuf,
    },
    /// Two packages of one file name differ.
    #[error("{} and {} have one name and different content", first.display(), second.display())]
    Clash {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Something could not be written; the disk may be full.
    #[error("could not write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The metadata could not be written.
    #[error("could not write the metadata of {}: {source}", path.display())]
    Metadata {
        /// The folder.
        path: PathBuf,
        /// What createrepo_c said.
        source: CommandError,
    },
    /// createrepo_c left packages out.
    #[error("the metadata of {} lists {listed} packages of {given}: {message}", path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// How many it lists.
        listed: usize,
        /// How many it should.
        given: usize,
        /// What createrepo_c said.
        message: String,
    },
    /// A generation of this number exists and holds something else.
    #[error("generation {number} of {} is {existing} and cannot become {wanted}", branch.display())]
    Taken {
        /// The branch's folder.
        branch: PathBuf,
        /// The generation.
        number: i64,
        /// The packages it holds.
        existing: Digest,
        /// The packages it should get.
        wanted: Digest,
    },
    /// A later generation is published already.
    #[error("generation {number} of {} is older than the current one, {current}", branch.display())]
    Stale {
        /// The branch's folder.
        branch: PathBuf,
        /// The generation that was asked for.
        number: i64,
        /// The generation that is current.
        current: i64,
    },
    /// `current` is something that was not put there by publishing.
    #[error("{} does not point at a generation", path.display())]
    Foreign {
        /// The link.
        path: PathBuf,
    },
    /// What is published, or is about to be, is not removed.
    #[error("{} is in use and stays", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The worker died.
    #[error("the writer of a repository died: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> RepositoryError + '_ {
    move |source| RepositoryError::Write { path: path.to_owned(), source }
}
