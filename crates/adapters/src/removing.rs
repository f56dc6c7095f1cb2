//! Removes what is not kept any more: first its name, at once, then what was in it; and measures how much room that makes.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What a thing is called while it is being removed.
const GONE: &str = ".gone-";

/// How many bytes of the disk removing a file or folder frees; nothing for what is not there. A file with another name
/// elsewhere stays, and counts nothing.
pub async fn freed_by(path: &Path) -> io::Result<u64> {
    let path = path.to_owned();
    blocking(move || measure(&path)).await
}

/// Removes a file or folder, if it is there. Whoever is killed meanwhile leaves it whole under its own name or none of it;
/// the next call takes away the rest.
pub async fn remove(path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    blocking(move || take_away(&path)).await
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(act).await.map_err(io::Error::other)?
}

fn measure(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            found => found?,
        };
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        }
        if found.is_dir() || found.nlink() == 1 {
            // Blocks are counted by 512 bytes, whatever the file system's own are.
            bytes += found.blocks() * 512;
        }
    }
    Ok(bytes)
}

pub(crate) fn take_away(path: &Path) -> io::Result<()> {
    let doomed = doomed(path);
    wipe(&doomed)?;
    match fs::rename(path, &doomed) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => renamed.and_then(|()| wipe(&doomed)),
    }
}

fn doomed(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{GONE}{name}"))
}

fn wipe(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_kept_elsewhere_free_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::create_dir_all(one.join("deep")).unwrap();
        let empty = freed_by(&one).await.unwrap();
        fs::write(one.join("deep/file"), vec![1; 100_000]).unwrap();
        assert!(freed_by(&one).await.unwrap() >= empty + 100_000);
        fs::hard_link(one.join("deep/file"), &two).unwrap();
        assert_eq!(freed_by(&one).await.unwrap(), empty);
        assert_eq!(freed_by(&folder.path().join("nothing")).await.unwrap(), 0);
        remove(&one).await.unwrap();
        assert_eq!(fs::read(&two).unwrap().len(), 100_000);
    }

    #[tokio::test]
    async fn what_a_kill_left_goes_with_the_next_call() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::create_dir_all(folder.path().join(".gone-x/half")).unwrap();
        remove(&path).await.unwrap();
        fs::create_dir_all(folder.path().join(".gone-x/half")).unwrap();
        fs::write(&path, "log").unwrap();
        remove(&path).await.unwrap();
        remove(&path).await.unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
