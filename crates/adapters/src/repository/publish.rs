//! Publishing: generations of a branch's repository, and the one link that says which of them counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use model::artifact::BranchName;

use super::snapshot::digest_packages;
use super::{RepositoryError, folder, images, write_error};
use crate::removing;

const CURRENT: &str = "current";
pub(crate) const GENERATION: &str = "generation-";

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

/// The folder of a generation, whether or not it is there. What is in it never changes.
pub fn generation_folder(root: &Path, branch: &BranchName, number: i64) -> PathBuf {
    root.join(branch.as_str()).join(format!("{GENERATION}{number}"))
}

/// The generations of a branch that lie there, in any order, and whether each is the published one.
pub fn generations(root: &Path, branch: &BranchName) -> Result<Vec<(i64, bool)>, RepositoryError> {
    let branch = root.join(branch.as_str());
    let current = read_current(&branch)?;
    let numbers = numbers(&branch).map_err(write_error(&branch))?;
    Ok(numbers.into_iter().map(|number| (number, Some(number) == current)).collect())
}

/// Removes an old generation, if it is there. The published one, and one that is about to be, are refused.
pub async fn remove_generation(
    root: &Path,
    branch: &BranchName,
    number: i64,
) -> Result<(), RepositoryError> {
    let branch = root.join(branch.as_str());
    let _lock = folder::lock(&branch).await?;
    let path = branch.join(format!("{GENERATION}{number}"));
    if read_current(&branch)?.is_none_or(|current| number >= current) {
        return Err(RepositoryError::InUse { path });
    }
    removing::remove(&path).await.map_err(write_error(&path))
}

pub(crate) fn numbers(branch: &Path) -> io::Result<Vec<i64>> {
    let mut numbers = Vec::new();
    for entry in folder::entries(branch)? {
        numbers.extend(entry.to_str().and_then(generation_number));
    }
    Ok(numbers)
}

fn generation_number(name: &str) -> Option<i64> {
    name.strip_prefix(GENERATION)?.parse().ok()
}

pub(crate) fn read_current(branch: &Path) -> Result<Option<i64>, RepositoryError> {
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
pub(crate) fn switch(branch: &Path, number: i64) -> io::Result<()> {
    let draft = branch.join(".current");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => symlink(format!("{GENERATION}{number}"), &draft)?,
    }
    fs::rename(&draft, branch.join(CURRENT))?;
    folder::sync(branch)
}
