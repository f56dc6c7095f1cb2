//! Composes as folders: repositories with groups, sources, images as files, and productmd's description of it all.
//!
//! Layout: `ROOT/COMPOSE-ID/compose/VARIANT/ARCH/{os,images,comps.xml}`, `compose/VARIANT/source/tree`,
//! `compose/metadata/*.json`, beside them `COMPOSE_ID` and `STATUS`; and the symbolic links `ROOT/latest-NAME`.
//! As with repositories, a folder is filled under a temporary name and renamed, so one with its final name is whole.

mod archive;
mod check;
mod folder;
mod metadata;
mod publish;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use model::artifact::ArtifactName;
use model::compose::{ArchName, ComposeId, DeliverableKey};
use model::version::Nevra;

use crate::repository::RepositoryError;

pub use check::{CLOSURE, COMPS, CheckRequest, METADATA, check};
pub use folder::write;
pub use publish::{latest, list, publish, remove};

/// Where everything lies that a compose is made of.
#[derive(Clone, Debug, Default)]
pub struct Ingredients {
    /// Packages by the names of their files.
    pub packages: BTreeMap<String, PathBuf>,
    /// Source packages.
    pub sources: BTreeMap<Nevra, PathBuf>,
    /// Images by architecture and name, as folders in the OCI image layout.
    pub images: BTreeMap<(ArchName, ArtifactName), PathBuf>,
    /// The text of each `comps.xml` that is to be delivered.
    pub comps: BTreeMap<DeliverableKey, String>,
    /// The folder of the compose that deliverables are taken over from.
    pub previous: Option<PathBuf>,
}

/// Why a compose could not be written or published.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Something it is made of was not handed over.
    #[error("could not write {deliverable}: {what} is not there")]
    Missing {
        /// What was to be made.
        deliverable: Box<DeliverableKey>,
        /// What it needs.
        what: String,
    },
    /// A package is not the one that was decided upon.
    #[error("could not use {}: it is not the file that the compose was planned with", path.display())]
    Different {
        /// The file.
        path: PathBuf,
    },
    /// A folder that is no image.
    #[error("could not use {}: it is not an OCI image layout: {message}", path.display())]
    Layout {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Something could not be read or written; the disk may be full.
    #[error("could not write {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A repository or its metadata could not be written.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// There is a compose of this id with other contents.
    #[error("{} exists and holds something else", path.display())]
    Taken {
        /// Its folder.
        path: PathBuf,
    },
    /// A later compose of the release is published already.
    #[error("{id} is older than {current}, which {} points at", link.display())]
    Stale {
        /// The compose that was to be published.
        id: Box<ComposeId>,
        /// The compose that is.
        current: Box<ComposeId>,
        /// The link.
        link: PathBuf,
    },
    /// A link that was not made by publishing.
    #[error("{} does not point at a compose", path.display())]
    Foreign {
        /// The link.
        path: PathBuf,
    },
    /// The worker died.
    #[error("the writer of a compose died: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> ComposeError + '_ {
    move |source| ComposeError::File { path: path.to_owned(), source }
}

/// The name that rpm gives a package's file.
fn file_name(nevra: &Nevra) -> String {
    let Nevra { name, evr, arch } = nevra;
    format!("{name}-{}-{}.{arch}.rpm", evr.version, evr.release)
}
