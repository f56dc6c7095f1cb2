//! Snapshots: repositories named by their content, which builds and tests are resolved against.

use std::path::{Path, PathBuf};

use model::digest::Digest;

use super::RepositoryError;
use super::folder;

/// What identifies a snapshot: the digest over the sorted lines `FILE-NAME SHA256` of its packages.
pub type SnapshotId = Digest;

/// The id the snapshot of some packages has or would have. Reads the packages, writes nothing.
pub async fn snapshot_id(packages: &[PathBuf]) -> Result<SnapshotId, RepositoryError> {
    Ok(folder::identity(&contents(packages).await?))
}

async fn contents(packages: &[PathBuf]) -> Result<folder::Contents, RepositoryError> {
    Ok(folder::Contents { packages: digest_packages(packages).await?, ..Default::default() })
}

/// Makes sure that `ROOT/ID/` holds these packages and their metadata. One that is there is used as it is.
pub async fn write_snapshot(
    root: &Path,
    packages: &[PathBuf],
) -> Result<SnapshotId, RepositoryError> {
    let contents = contents(packages).await?;
    let id = folder::identity(&contents);
    let target = root.join(id.to_string());
    if folder::read_identity(&target) == Some(id) {
        return Ok(id);
    }
    let _lock = folder::lock(root).await?;
    if folder::read_identity(&target) != Some(id) {
        folder::write(&target, &root.join(".checksums"), &contents).await?;
    }
    Ok(id)
}

pub(super) async fn digest_packages(
    packages: &[PathBuf],
) -> Result<folder::Packages, RepositoryError> {
    let packages = packages.to_vec();
    tokio::task::spawn_blocking(move || folder::digest_packages(&packages)).await?
}
