//! The folder a demo works in: made, or emptied if an earlier demo made it, and kept from others meanwhile.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::admin::AdminError;

/// Marks a folder as a demo's, and is locked while one runs in it.
const MARK: &str = ".millstream-demo";

/// The standard's mark of a folder that can be made again (<https://bford.info/cachedir/>).
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// A folder that is a demo's alone while this is held.
pub(super) struct Claim {
    /// The folder, as an absolute path.
    pub(super) folder: PathBuf,
    _lock: File,
}

/// Takes a folder that is empty, new, or an earlier demo's, and empties it.
pub(super) fn claim(folder: &Path) -> Result<Claim, AdminError> {
    let failed = |error: std::io::Error| {
        AdminError::Outside(format!("could not use {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    let mark = folder.join(MARK);
    if !mark.exists() {
        let mut entries = fs::read_dir(&folder).map_err(failed)?.filter_map(Result::ok);
        if let Some(entry) = entries.find(|entry| entry.file_name() != CACHE_MARK) {
            return Err(AdminError::Input(format!(
                "{} holds {} and was not made by a demo: name another folder with --data, or remove it",
                folder.display(),
                entry.file_name().to_string_lossy()
            )));
        }
    }
    let lock = File::create(&mark).map_err(failed)?;
    if lock.try_lock().is_err() {
        return Err(AdminError::Input(format!("another demo runs in {}", folder.display())));
    }
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != MARK && entry.file_name() != CACHE_MARK {
            remove(&entry.path()).map_err(failed)?;
        }
    }
    Ok(Claim { folder, _lock: lock })
}

fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_again_only_from_an_earlier_demo_that_has_ended() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(CACHE_MARK), "mine").unwrap();
        let first = claim(data.path()).ok().unwrap();
        fs::create_dir(data.path().join("builds")).unwrap();
        let error = claim(data.path()).err().unwrap().to_string();
        assert!(error.contains("another demo runs in"), "{error}");
        assert!(data.path().join("builds").exists());
        drop(first);
        claim(data.path()).ok().unwrap();
        assert!(!data.path().join("builds").exists());
        assert_eq!(fs::read_to_string(data.path().join(CACHE_MARK)).unwrap(), "mine");
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("letters"), "dear").unwrap();
        let error = claim(data.path()).err().unwrap();
        assert!(matches!(error, AdminError::Input(_)));
        assert!(error.to_string().contains("holds letters and was not made by a demo"));
        assert!(data.path().join("letters").exists() && !data.path().join(MARK).exists());
    }
}
