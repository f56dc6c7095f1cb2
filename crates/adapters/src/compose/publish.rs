//! Publishing composes: a folder for each, and the links that say which one is the latest.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use model::artifact::ArtifactName;
use model::compose::ComposeId;

use super::folder::{link_tree, read_identity, sync_tree};
use super::{ComposeError, file_error};
use crate::repository::folder;

const LATEST: &str = "latest-";

/// Publishes the compose in the folder `built` as `ROOT/COMPOSE-ID/` and points `ROOT/latest-NAME` at it.
///
/// Can be repeated after it was killed at any line: what is done already is found done. Readers of the link see the old
/// compose or the new one. Files are linked, not copied, where the file system allows it.
///
/// # Errors
/// The folder holds no whole compose, there is another compose of this id, or a later one of the release is published;
/// the link is as it was then.
pub async fn publish(
    built: &Path,
    root: &Path,
    id: &ComposeId,
    name: &ArtifactName,
) -> Result<(), ComposeError> {
    let _lock = folder::lock(root).await?;
    let link = root.join(format!("{LATEST}{name}"));
    if let Some(current) = read_link(&link)?.filter(|current| current.is_kin_of(id) && current > id)
    {
        let (id, current) = (Box::new(id.clone()), Box::new(current));
        return Err(ComposeError::Stale { id, current, link });
    }
    let (built, target) = (built.to_owned(), root.join(id.to_string()));
    let draft = root.join(format!("{}{id}", folder::TEMPORARY));
    tokio::task::spawn_blocking(move || place(&built, &draft, &target)).await??;
    switch(root, &link, id)
}

/// The compose that is the latest of a name; none before the first.
///
/// # Errors
/// The link points elsewhere or cannot be read.
pub fn latest(root: &Path, name: &ArtifactName) -> Result<Option<ComposeId>, ComposeError> {
    read_link(&root.join(format!("{LATEST}{name}")))
}

/// The composes that lie there, in any order, and whether a link points at each.
///
/// # Errors
/// The folder or a link cannot be read.
pub fn list(root: &Path) -> Result<Vec<(ComposeId, bool)>, ComposeError> {
    let names = folder::entries(root).map_err(file_error(root))?;
    let mut latest = Vec::new();
    for link in names.iter().filter(|name| name.to_string_lossy().starts_with(LATEST)) {
        latest.extend(read_link(&root.join(link))?);
    }
    let ids = names.iter().filter_map(|name| name.to_str()?.parse::<ComposeId>().ok());
    let known = |id: ComposeId| {
        let latest = latest.contains(&id);
        (id, latest)
    };
    Ok(ids.map(known).collect())
}

/// Removes composes, never one that is the latest of a name. Returns what was removed.
///
/// # Errors
/// A folder cannot be read or removed; what was removed before stays so.
pub async fn remove(root: &Path, unwanted: &[ComposeId]) -> Result<Vec<ComposeId>, ComposeError> {
    let _lock = folder::lock(root).await?;
    let mut kept = Vec::new();
    for entry in fs::read_dir(root).map_err(file_error(root))? {
        let entry = entry.map_err(file_error(root))?;
        if entry.file_name().to_string_lossy().starts_with(LATEST) {
            kept.extend(read_link(&entry.path())?);
        }
    }
    let mut removed = Vec::new();
    for id in unwanted.iter().filter(|id| !kept.contains(id)) {
        let path = root.join(id.to_string());
        match folder::discard(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(&path)(error)),
            Ok(()) => removed.push(id.clone()),
        }
    }
    Ok(removed)
}

fn place(built: &Path, draft: &Path, target: &Path) -> Result<(), ComposeError> {
    let Some(wanted) = read_identity(built) else {
        let source = std::io::Error::new(ErrorKind::NotFound, "there is no whole compose in it");
        return Err(ComposeError::File { path: built.to_owned(), source });
    };
    match read_identity(target) {
        Some(existing) if existing == wanted => return Ok(()),
        Some(_) => return Err(ComposeError::Taken { path: target.to_owned() }),
        None => {}
    }
    folder::remove(draft).map_err(file_error(draft))?;
    link_tree(built, draft)?;
    sync_tree(draft).map_err(file_error(draft))?;
    folder::remove(target).map_err(file_error(target))?;
    fs::rename(draft, target).map_err(file_error(target))
}

fn read_link(path: &Path) -> Result<Option<ComposeId>, ComposeError> {
    let foreign = || ComposeError::Foreign { path: path.to_owned() };
    match fs::read_link(path) {
        Ok(target) => {
            let id = target.to_str().and_then(|text| text.parse().ok());
            id.map(Some).ok_or_else(foreign)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(foreign()),
        Err(source) => Err(ComposeError::File { path: path.to_owned(), source }),
    }
}

/// Points a link at a compose by renaming a new link over the old one.
fn switch(root: &Path, link: &Path, id: &ComposeId) -> Result<(), ComposeError> {
    let draft: PathBuf = root.join(".latest");
    let switched = match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => symlink(id.to_string(), &draft),
    };
    let switched = switched.and_then(|()| fs::rename(&draft, link));
    switched.and_then(|()| folder::sync(root)).map_err(file_error(link))
}
