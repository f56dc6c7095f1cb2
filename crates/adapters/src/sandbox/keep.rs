//! The folder of a finished job: it appears at once and complete, or not at all.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::sandbox::SandboxError;

/// A folder that is being filled beside the place where it shall appear.
#[derive(Debug)]
pub(crate) struct Keeping {
    partial: PathBuf,
    folder: PathBuf,
    /// Who this process is, as files of its own tell.
    owner: (u32, u32),
}

impl Keeping {
    /// Starts over: what an earlier attempt left is removed.
    pub(crate) fn begin(folder: &Path) -> Result<Self, SandboxError> {
        let mut name = folder.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        remove(&partial)?;
        let failed = |source| SandboxError::file("make", &partial, source);
        fs::create_dir_all(&partial).map_err(failed)?;
        let own = fs::metadata(&partial).map_err(failed)?;
        Ok(Self { owner: (own.uid(), own.gid()), folder: folder.to_owned(), partial })
    }

    /// Where the folder is meanwhile.
    pub(crate) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Moves a file of a cell to this relative path and makes it ours.
    pub(crate) fn take(&self, from: &Path, to: &Path) -> Result<(), SandboxError> {
        let place = self.partial.join(to);
        self.take_over(from, &place)
            .map_err(|source| SandboxError::file("take over", &place, source))
    }

    fn take_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        // A link would lead to a file the cell's user may not read.
        if !fs::symlink_metadata(from)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        // The two folders may lie on different file systems.
        if fs::rename(from, to).is_err() {
            fs::copy(from, to)?;
        }
        let (user, group) = self.owner;
        if fs::metadata(to)?.uid() != user {
            chown(to, Some(user), Some(group))?;
        }
        fs::set_permissions(to, fs::Permissions::from_mode(0o644))?;
        File::open(to)?.sync_all()
    }

    /// Writes the record without which the folder counts for nothing, and puts the folder in place.
    pub(crate) fn finish(self, record: &str, text: &[u8]) -> Result<(), SandboxError> {
        let path = self.partial.join(record);
        fs::write(&path, text)
            .and_then(|()| File::open(&path)?.sync_all())
            .and_then(|()| File::open(&self.partial)?.sync_all())
            .map_err(|source| SandboxError::file("write", &path, source))?;
        // A folder without a record is what is left of a server that was killed here.
        remove(&self.folder)?;
        fs::rename(&self.partial, &self.folder)
            .map_err(|source| SandboxError::file("put in place", &self.folder, source))
    }
}

/// The record of a folder that is complete; `None` if there is no such folder.
pub(crate) fn record(folder: &Path, name: &str) -> Result<Option<String>, SandboxError> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SandboxError::file("read", path, source)),
    }
}

fn remove(folder: &Path) -> Result<(), SandboxError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SandboxError::file("remove the incomplete", folder, error))
        }
        _ => Ok(()),
    }
}
