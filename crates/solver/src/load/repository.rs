//! A repository in a local folder: its metadata files, each held against its checksum when it is read.

use std::path::{Path, PathBuf};

use super::compressed::{Packing, ReadError, USUAL_LIMIT, UnpackError, read_packed, unpack};
use super::comps::Comps;
use super::malformed::Malformed;
use super::modules::Documents;
use super::repomd::{Checksum, Record, RepositoryMetadata, UnsupportedChecksum};
use super::updateinfo::{Advisory, parse_advisories};

/// More than any `repomd.xml` has, in bytes.
const REPOMD_LIMIT: u64 = 16 << 20;

/// More than any file has that is read into structs as a whole, in bytes: those of packages are not.
const PARSED_LIMIT: u64 = 512 << 20;

/// Why metadata of a repository cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file is not what its format asks for.
    #[error("{}, {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        what: Malformed,
    },
    /// The repository does not have what every repository has.
    #[error("{} names no `{kind}`", path.display())]
    Missing {
        /// Its `repomd.xml`.
        path: PathBuf,
        /// What it lacks.
        kind: &'static str,
    },
    /// A location would lead out of the repository.
    #[error("{}, line {line}: the location `{}` leads out of the repository", path.display(), location.escape_debug())]
    Outside {
        /// The `repomd.xml`.
        path: PathBuf,
        /// Its line.
        line: u32,
        /// The location.
        location: String,
    },
    /// A file has no checksum, or one that is not supported.
    #[error("{} cannot be verified: {why}", path.display())]
    Unverifiable {
        /// The file.
        path: PathBuf,
        /// What hinders.
        why: String,
    },
    /// A file is not the one that `repomd.xml` speaks of.
    #[error("{} does not have the checksum {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What it should have.
        expected: Checksum,
    },
    /// A file cannot be unpacked.
    #[error("could not read {}: {why}", path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// What hinders.
        why: UnpackError,
    },
    /// A file unpacks to something else than `repomd.xml` speaks of.
    #[error("{} unpacks to {found} bytes, not {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The size it should have.
        expected: u64,
        /// The size it has.
        found: u64,
    },
}

/// A repository whose `repomd.xml` has been read. The other files are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Repository {
    /// What locations are relative to.
    root: PathBuf,
    /// Whether the root is the metadata folder itself, so that locations lose its name.
    flat: bool,
    repomd: PathBuf,
    limit: u64,
    metadata: RepositoryMetadata,
    checksum: Checksum,
}

impl Repository {
    /// Opens the repository in a folder: one that has `repodata/repomd.xml`, or the `repodata` folder itself.
    ///
    /// # Errors
    /// There is no `repomd.xml`, or it is malformed.
    pub fn open(folder: &Path) -> Result<Self, RepositoryError> {
        let nested = folder.join("repodata/repomd.xml");
        let flat = !nested.exists() && folder.join("repomd.xml").exists();
        let repomd = if flat { folder.join("repomd.xml") } else { nested };
        let bytes = read_packed(&repomd, REPOMD_LIMIT)?;
        let metadata = RepositoryMetadata::parse(&bytes)
            .map_err(|what| RepositoryError::Malformed { path: repomd.clone(), what })?;
        let checksum = Checksum::sha256(&bytes);
        Ok(Self { root: folder.to_owned(), flat, repomd, limit: USUAL_LIMIT, metadata, checksum })
    }

    /// The same with another limit on what a file may unpack to, in bytes.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// The checksum of its `repomd.xml`, which holds those of everything else: what a snapshot notes down, so that
    /// it is known to be stale.
    pub fn checksum(&self) -> &Checksum {
        &self.checksum
    }

    /// What its `repomd.xml` says.
    pub fn metadata(&self) -> &RepositoryMetadata {
        &self.metadata
    }

    /// `primary.xml`, verified and unpacked.
    ///
    /// # Errors
    /// There is none, or it cannot be had; so with the others.
    pub fn primary(&self) -> Result<Vec<u8>, RepositoryError> {
        let missing = || RepositoryError::Missing { path: self.repomd.clone(), kind: "primary" };
        self.file("primary")?.ok_or_else(missing)
    }

    /// `filelists.xml`, which a repository may leave out.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn filelists(&self) -> Result<Option<Vec<u8>>, RepositoryError> {
        self.file("filelists")
    }

    /// `comps.xml`: groups, categories and environments.
    ///
    /// # Errors
    /// It cannot be had or is malformed.
    pub fn group(&self) -> Result<Option<Comps>, RepositoryError> {
        // A packed copy has a kind of its own, and may be the only one that was kept.
        let mut kinds = ["group", "group_gz", "group_xz", "group_zst"].into_iter();
        let is_there = |kind: &&str| {
            let record = self.metadata.record(kind);
            record.and_then(|it| self.path(it).ok()).is_some_and(|path| path.exists())
        };
        let kind = kinds.find(is_there);
        self.parsed(kind.unwrap_or("group"), Comps::parse)
    }

    /// `modules.yaml`: streams of modules and their defaults.
    ///
    /// # Errors
    /// It cannot be had or is malformed.
    pub fn modules(&self) -> Result<Option<Documents>, RepositoryError> {
        self.parsed("modules", Documents::parse)
    }

    /// `updateinfo.xml`: advisories.
    ///
    /// # Errors
    /// It cannot be had or is malformed.
    pub fn updateinfo(&self) -> Result<Option<Vec<Advisory>>, RepositoryError> {
        self.parsed("updateinfo", parse_advisories)
    }

    /// The file of a kind, verified and unpacked; none if the repository has none.
    ///
    /// # Errors
    /// It is named and cannot be had, is not the one that was named, or is too large.
    pub fn file(&self, kind: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        self.metadata.record(kind).map(|record| self.read(record, self.limit)).transpose()
    }

    fn parsed<T>(
        &self,
        kind: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Option<T>, RepositoryError> {
        let Some(record) = self.metadata.record(kind) else { return Ok(None) };
        let bytes = self.read(record, self.limit.min(PARSED_LIMIT))?;
        let parsed = parse(&bytes);
        let path = || self.path(record).unwrap_or_default();
        parsed.map(Some).map_err(|what| RepositoryError::Malformed { path: path(), what })
    }

    fn read(&self, record: &Record, limit: u64) -> Result<Vec<u8>, RepositoryError> {
        let path = self.path(record)?;
        let packed = read_packed(&path, limit)?;
        verify(&path, record, &packed)?;
        let bytes = match Packing::of(&packed) {
            Packing::Plain => packed,
            _ => unpack(&packed, limit)
                .map_err(|why| RepositoryError::Unpack { path: path.clone(), why })?,
        };
        let found = bytes.len() as u64;
        match record.open_size.filter(|expected| *expected != found) {
            Some(expected) => Err(RepositoryError::Size { path, expected, found }),
            None => Ok(bytes),
        }
    }

    fn path(&self, record: &Record) -> Result<PathBuf, RepositoryError> {
        let relative = record.path().ok_or_else(|| RepositoryError::Outside {
            path: self.repomd.clone(),
            line: record.line,
            location: record.location.clone(),
        })?;
        let relative = match relative.strip_prefix("repodata") {
            Ok(rest) if self.flat => rest.to_owned(),
            _ => relative,
        };
        Ok(self.root.join(relative))
    }
}

/// The checksum of the packed bytes settles what they unpack to: hashing that as well would cost more than
/// reading it.
fn verify(path: &Path, record: &Record, packed: &[u8]) -> Result<(), RepositoryError> {
    let path = || path.to_owned();
    let unverifiable = |why: String| RepositoryError::Unverifiable { path: path(), why };
    let none = || unverifiable("repomd.xml gives no checksum for it".to_owned());
    let expected = record.checksum.as_ref().ok_or_else(none)?;
    match expected.matches(packed) {
        Ok(true) => Ok(()),
        Ok(false) => Err(RepositoryError::Checksum { path: path(), expected: expected.clone() }),
        Err(unsupported @ UnsupportedChecksum(_)) => Err(unverifiable(unsupported.to_string())),
    }
}

#[cfg(test)]
mod tests;
