//! Publishing: generations of a branch's repository, and the one link that says which of them counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use model::artifact::BranchName;

use super::snapshot::digest_packages;
use super::{RepositoryError, folder, images, write_error};

const CURRENT: &str = "current";
const GENERATION: &str = "generation-";

/// What a generation holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The packages of the repository.
    pub packages: Vec<PathBuf>,
    /// Images by name, each as the folder of its OCI layout; they lie in `images/NAME`.
    pub images: BTreeMap<String, PathBuf>,
}

/// Publishes generation `number` of a branch and switches `current` to it.
///
/// Can be repeated after it was killed at any line: what is done already is found done. Readers see the old
/// generation or the new one, never anything between. On an error `current` is as it was.
pub async fn publish(
    root: &Path,
    branch: &BranchName,
    number: i64,
    contents: &Contents,
) -> Result<(), RepositoryError> {
    let branch = root.join(branch.as_str());
    let contents = folder::Contents {
        packages: digest_packages(&contents.packages).await?,
        images: images::digest(&contents.images)?,
    };
    let wanted = folder::identity(&contents);
    let _lock = folder::lock(&branch).await?;
    if let Some(current) = read_current(&branch)?.filter(|current| *current > number) {
        return Err(RepositoryError::Stale { branch, number, current });
    }
    let target = branch.join(format!("{GENERATION}{number}"));
    match folder::read_identity(&target) {
        Some(existing) if existing == wanted => {}
        Some(existing) => return Err(RepositoryError::Taken { branch, number, existing, wanted }),
        None => folder::write(&target, &branch.join(".checksums"), &contents).await?,
    }
    switch(&branch, number).map_err(write_error(&branch))
}

/// The number of the generation that is published; none before the first.
pub fn current_generation(
    root: &Path,
    branch: &BranchName,
) -> Result<Option<i64>, RepositoryError> {
    read_current(&root.join(branch.as_str()))
}

/// Removes all but the last `keep` generations of a branch, never the current one. Returns what was removed.
pub async fn retain(
    root: &Path,
    branch: &BranchName,
    keep: usize,
) -> Result<Vec<i64>, RepositoryError> {
    let branch = root.join(branch.as_str());
    let _lock = folder::lock(&branch).await?;
    let current = read_current(&branch)?;
    let mut numbers = generations(&branch).map_err(write_error(&branch))?;
    numbers.sort_unstable();
    numbers.truncate(numbers.len().saturating_sub(keep));
    // A generation above the current one is about to be published.
    numbers.retain(|number| current.is_some_and(|current| *number < current));
    for number in &numbers {
        let path = branch.join(format!("{GENERATION}{number}"));
        folder::discard(&path).map_err(write_error(&path))?;
    }
    Ok(numbers)
}

fn generations(branch: &Path) -> io::Result<Vec<i64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(branch)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(generation_number));
    }
    Ok(numbers)
}

fn generation_number(name: &str) -> Option<i64> {
    name.strip_prefix(GENERATION)?.parse().ok()
}

fn read_current(branch: &Path) -> Result<Option<i64>, RepositoryError> {
    let path = branch.join(CURRENT);
    match fs::read_link(&path) {
        Ok(target) => match target.to_str().and_then(generation_number) {
            Some(number) => Ok(Some(number)),
            None => Err(RepositoryError::Foreign { path }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Err(RepositoryError::Foreign { path })
        }
        Err(source) => Err(RepositoryError::Write { path, source }),
    }
}

/// Points `current` at a generation by renaming a new link over the old one.
fn switch(branch: &Path, number: i64) -> io::Result<()> {
    let draft = branch.join(".current");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => symlink(format!("{GENERATION}{number}"), &draft)?,
    }
    fs::rename(&draft, branch.join(CURRENT))?;
    folder::sync(branch)
}
