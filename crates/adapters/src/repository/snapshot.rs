//! Snapshots: repositories named by their content, which builds and tests are resolved against.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use model::clock::Timestamp;
use model::digest::Digest;

use super::folder;
use super::{RepositoryError, write_error};
use crate::removing;

/// The folder below the snapshots whose files' times say when each was used last.
const USED: &str = ".used";

/// What identifies a snapshot: the digest over the sorted lines `FILE-NAME SHA256` of its packages.
pub type SnapshotId = Digest;

/// The id the snapshot of some packages has or would have. Reads the packages, writes nothing.
pub async fn snapshot_id(packages: &[PathBuf]) -> Result<SnapshotId, RepositoryError> {
    Ok(folder::identity(&contents(packages).await?))
}

async fn contents(packages: &[PathBuf]) -> Result<folder::Contents, RepositoryError> {
    Ok(folder::Contents { packages: digest_packages(packages).await?, ..Default::default() })
}

/// Makes sure that `ROOT/ID/` holds these packages and their metadata. One that is there is used as it is. That it was
/// used now is noted in `ROOT/.used/ID`.
pub async fn write_snapshot(
    root: &Path,
    packages: &[PathBuf],
) -> Result<SnapshotId, RepositoryError> {
    let contents = contents(packages).await?;
    let id = folder::identity(&contents);
    let target = root.join(id.to_string());
    // Noted first: whoever removes what was not used for long looks at that last.
    note_used(root, id)?;
    if folder::read_identity(&target) == Some(id) {
        return Ok(id);
    }
    let _lock = folder::lock(root).await?;
    if folder::read_identity(&target) != Some(id) {
        folder::write(&target, &root.join(".checksums"), &contents).await?;
    }
    Ok(id)
}

/// The snapshots that lie there, in any order, and when each was used last.
pub fn snapshots(root: &Path) -> Result<Vec<(SnapshotId, Timestamp)>, RepositoryError> {
    let mut found = Vec::new();
    for name in folder::entries(root).map_err(write_error(root))? {
        if let Some(id) = name.to_str().and_then(|name| name.parse().ok()) {
            found.extend(last_use(root, id).map(|used| (id, used)));
        }
    }
    Ok(found)
}

/// Removes a snapshot that was not used since `used`; false if it was. It can be made again from the same packages.
pub async fn remove_snapshot(
    root: &Path,
    id: SnapshotId,
    used: Timestamp,
) -> Result<bool, RepositoryError> {
    let _lock = folder::lock(root).await?;
    if last_use(root, id).is_some_and(|last| last > used) {
        return Ok(false);
    }
    for path in [root.join(id.to_string()), used_path(root, id)] {
        removing::remove(&path).await.map_err(write_error(&path))?;
    }
    Ok(true)
}

fn used_path(root: &Path, id: SnapshotId) -> PathBuf {
    root.join(USED).join(id.to_string())
}

/// Writing is what sets a file's time to the present.
fn note_used(root: &Path, id: SnapshotId) -> Result<(), RepositoryError> {
    let path = used_path(root, id);
    let folder = root.join(USED);
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, "\n"));
    written.map_err(write_error(&path))
}

/// When a snapshot was used last: when that was noted, or when it was made. None for what is not there any more.
fn last_use(root: &Path, id: SnapshotId) -> Option<Timestamp> {
    let time = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let made = time(&root.join(id.to_string()).join(folder::IDENTITY));
    let used = time(&used_path(root, id)).or(made)?;
    let since = used.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}

pub(super) async fn digest_packages(
    packages: &[PathBuf],
) -> Result<folder::Packages, RepositoryError> {
    let packages = packages.to_vec();
    tokio::task::spawn_blocking(move || folder::digest_packages(&packages)).await?
}
