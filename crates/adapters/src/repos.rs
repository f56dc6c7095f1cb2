//! Repositories that lie elsewhere, brought into a folder over HTTP: only what changed, and each file verified.
//!
//! What is known of one address lies in one folder of the cache, named by the digest of the address:
//!
//! - `files/FUNCTION-DIGEST`: metadata files by the checksum that `repomd.xml` states;
//! - `generation-N/`: a `repomd.xml` as it came, beside hard links to its files under the names it gives them, and
//!   what to ask the server with next time (`millstream-origin.json`);
//! - `current`: a link to the newest generation, switched by a rename.
//!
//! A process that is killed leaves the old generation or the new one, and at most drafts that the next one removes.
//! The generation before the current one is kept for those who still read it. What cannot be brought up to date is an
//! error: old answers are not passed off as new ones.
//!
//! Mirror lists, metalinks, proxies, passwords and signatures of `repomd.xml` are not read; the server that is named is
//! the one that is asked and believed.

mod error;
mod place;

mod update;
mod wanted;

mod download;
mod reply;

mod shelf;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::FetchError;
pub use place::Place;
pub use shelf::address_of;

/// What a server may take and send.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long it may take to begin an answer, from looking up its name on.
    pub answer: Duration,
    /// How long it may take to send [`Limits::bytes_in_window`].
    pub window: Duration,
    /// How many bytes have to come in a window, unless the body ends in it.
    pub bytes_in_window: u64,
    /// How many redirections are followed, one after the other.
    pub redirections: usize,
    /// How large a metadata file may be, packed as it is sent, in bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    /// As slow as dnf lets a server be, and ten times the largest file there is.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            window: Duration::from_secs(30),
            bytes_in_window: 30_000,
            redirections: 10,
            file_bytes: 1 << 30,
        }
    }
}

/// A folder for what was fetched. Processes may share it.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    limits: Limits,
}

/// A repository that is up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// A folder with its metadata, which no later fetch changes.
    pub folder: PathBuf,
    /// How many metadata files were fetched for it, besides `repomd.xml`.
    pub files: usize,
}

/// How far the fetching of one file is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file's URL.
    pub url: &'a str,
    /// How many bytes have come.
    pub bytes: u64,
    /// How many there are, where that is known.
    pub of: Option<u64>,
}

/// Who is told how far it is.
pub type Listener<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);

impl Cache {
    /// A cache in this folder, which need not be there yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Brings a repository up to date and says where it lies. A folder is taken as it is.
    ///
    /// # Errors
    /// [`FetchError`], with the URL; what was there before stays.
    pub async fn fetch(
        &self,
        place: &Place,
        listener: Listener<'_>,
    ) -> Result<Fetched, FetchError> {
        match place {
            Place::Folder(folder) => Ok(Fetched { folder: folder.clone(), files: 0 }),
            Place::Elsewhere(address) => update::update(self, address, listener).await,
        }
    }
}
