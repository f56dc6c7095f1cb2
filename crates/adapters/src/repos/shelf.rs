//! The folder of one address in the cache: its files, its generations, and which of them is current.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::FetchError;
use super::error::cache_error;
use super::place::Address;
use super::wanted::{ORIGIN, REPOMD, Wanted, wanted};
use crate::repository::folder::{self, TEMPORARY};
use crate::repository::publish::{GENERATION, numbers, read_current, switch};

/// Where files lie by their checksums.
const FILES: &str = "files";

/// An address's folder; no other process writes in it while this, or a copy of it, is there.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    _lock: Arc<File>,
}

/// Where a `repomd.xml` came from, and what the server is asked with next time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The repository's address, for people who look.
    pub(super) address: String,
    /// The URL that answered; another one's marks mean nothing to it.
    pub(super) url: String,
    /// Its `ETag`.
    pub(super) etag: Option<String>,
    /// Its `Last-Modified`.
    pub(super) last_modified: Option<String>,
}

/// A repository as it was once fetched.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) folder: PathBuf,
    pub(super) repomd: Vec<u8>,
    pub(super) origin: Origin,
}

/// The address from which a folder was fetched, if it was.
pub fn address_of(folder: &Path) -> Option<String> {
    Origin::of(folder).map(|origin| origin.address)
}

impl Origin {
    fn of(generation: &Path) -> Option<Self> {
        let bytes = fs::read(generation.join(ORIGIN)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

impl Shelf {
    /// Waits until nobody else writes in the folder, and takes away what was left of those who were killed.
    pub(super) async fn open(cache: &Path, address: &Address) -> Result<Self, FetchError> {
        let folder = std::path::absolute(cache).map_err(cache_error(cache))?;
        let folder = folder.join(address.folder_name());
        let lock = folder::lock(&folder).await?;
        Ok(Self { folder, _lock: Arc::new(lock) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file lies by its checksum.
    pub(super) fn file(&self, wanted: &Wanted) -> PathBuf {
        self.folder.join(FILES).join(wanted.name())
    }

    /// Where a file lies until it is whole.
    pub(super) fn draft(&self, wanted: &Wanted) -> io::Result<PathBuf> {
        let drafts = self.folder.join(format!("{TEMPORARY}{FILES}"));
        for folder in [&drafts, &self.folder.join(FILES)] {
            fs::create_dir_all(folder)?;
        }
        Ok(drafts.join(wanted.name()))
    }

    /// The current generation; none where nothing was fetched yet, or where somebody took a part of it away.
    pub(super) fn current(&self) -> Result<Option<Generation>, FetchError> {
        let Some(number) = read_current(&self.folder)? else { return Ok(None) };
        let folder = self.folder.join(format!("{GENERATION}{number}"));
        let Ok(repomd) = fs::read(folder.join(REPOMD)) else { return Ok(None) };
        let Ok(files) = wanted(&repomd) else { return Ok(None) };
        let is_there = |wanted: &Wanted| {
            let found = fs::metadata(folder.join(&wanted.path));
            found.is_ok_and(|found| wanted.size.is_none_or(|size| size == found.len()))
        };
        let origin = Origin::of(&folder).filter(|_| files.iter().all(is_there));
        Ok(origin.map(|origin| Generation { folder, repomd, origin }))
    }

    /// Whether a file is there and still what it was: disks and people change things.
    pub(super) fn holds(&self, wanted: &Wanted) -> Result<bool, FetchError> {
        let path = self.file(wanted);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(cache_error(&path))?,
        };
        let Ok(mut hasher) = wanted.checksum.hasher() else { return Ok(false) };
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer).map_err(cache_error(&path))? {
                0 => return Ok(hasher.digest() == wanted.checksum.digest),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// Makes a generation of files that are all there, the current one.
    pub(super) fn publish(
        &self,
        repomd: &[u8],
        files: &[Wanted],
        origin: &Origin,
    ) -> Result<PathBuf, FetchError> {
        let before = read_current(&self.folder)?;
        let there = numbers(&self.folder).map_err(cache_error(&self.folder))?;
        let number = there.iter().max().map_or(1, |last| last + 1);
        let name = format!("{GENERATION}{number}");
        let draft = self.folder.join(format!("{TEMPORARY}{name}"));
        self.fill(&draft, (repomd, files), origin).map_err(cache_error(&draft))?;
        let generation = self.folder.join(name);
        fs::rename(&draft, &generation).map_err(cache_error(&generation))?;
        folder::sync(&self.folder).map_err(cache_error(&self.folder))?;
        switch(&self.folder, number).map_err(cache_error(&self.folder))?;
        let old = there.into_iter().filter(|there| Some(*there) != before);
        self.prune(old).map_err(cache_error(&self.folder))?;
        Ok(generation)
    }

    /// Notes down what to ask with next time, where the repository is still the same.
    pub(super) fn note(&self, generation: &Generation, origin: &Origin) -> Result<(), FetchError> {
        let drafts = self.folder.join(format!("{TEMPORARY}{ORIGIN}"));
        let (draft, path) = (drafts.join(ORIGIN), generation.folder.join(ORIGIN));
        folder::remove(&drafts)
            .and_then(|()| fs::create_dir(&drafts))
            .and_then(|()| write(&draft, &told(origin)?))
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| folder::sync(&generation.folder))
            .map_err(cache_error(&path))
    }

    fn fill(
        &self,
        draft: &Path,
        (repomd, files): (&[u8], &[Wanted]),
        origin: &Origin,
    ) -> io::Result<()> {
        let mut folders = vec![draft.to_owned(), draft.join("repodata")];
        fs::create_dir_all(draft.join("repodata"))?;
        for wanted in files {
            let path = draft.join(&wanted.path);
            let folder = path.parent().unwrap_or(draft).to_owned();
            fs::create_dir_all(&folder)?;
            fs::hard_link(self.file(wanted), &path)?;
            folders.push(folder);
        }
        write(&draft.join(REPOMD), repomd)?;
        write(&draft.join(ORIGIN), &told(origin)?)?;
        folders.iter().try_for_each(|folder| folder::sync(folder))
    }

    /// Removes old generations, and the files that no generation has any more.
    fn prune(&self, generations: impl IntoIterator<Item = i64>) -> io::Result<()> {
        for number in generations {
            folder::discard(&self.folder.join(format!("{GENERATION}{number}")))?;
        }
        let files = self.folder.join(FILES);
        for name in folder::entries(&files)? {
            let path = files.join(name);
            // Each generation is one more name of the file.
            if fs::symlink_metadata(&path)?.nlink() == 1 {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Writes a file that was not there, as far as the disk.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn told(origin: &Origin) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec_pretty(origin)?)
}
