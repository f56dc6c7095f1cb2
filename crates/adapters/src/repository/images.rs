//! Images in a published folder: OCI layouts of hard links, which container tools read where they lie.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::digest::Digest;

use super::{RepositoryError, write_error};

/// Where the images of a generation lie.
pub(super) const FOLDER: &str = "images";

/// The file of a layout that names the digests of all others.
const INDEX: &str = "index.json";

/// Reads what identifies each image. All of them must be there before anything is written.
pub(super) fn digest(
    images: &BTreeMap<String, PathBuf>,
) -> Result<BTreeMap<String, (PathBuf, Digest)>, RepositoryError> {
    let read = |(name, folder): (&String, &PathBuf)| {
        let path = folder.join(INDEX);
        let index = fs::read(&path).map_err(|source| RepositoryError::Image { path, source })?;
        Ok((name.clone(), (folder.clone(), Digest::of(index))))
    };
    images.iter().map(read).collect()
}

/// Links every file of the layouts below `to`.
pub(super) fn link(
    images: &BTreeMap<String, (PathBuf, Digest)>,
    to: &Path,
) -> Result<(), RepositoryError> {
    images.iter().try_for_each(|(name, (folder, _))| link_tree(folder, &to.join(name)))
}

fn link_tree(from: &Path, to: &Path) -> Result<(), RepositoryError> {
    let unreadable = |source| RepositoryError::Image { path: from.to_owned(), source };
    fs::create_dir_all(to).map_err(write_error(to))?;
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(unreadable)?.is_dir() {
            link_tree(&path, &place)?;
        } else {
            link_file(&path, &place).map_err(write_error(&place))?;
        }
    }
    Ok(())
}

/// Another file system, another owner, too many links: whatever it is, a copy does as well.
fn link_file(path: &Path, place: &Path) -> io::Result<()> {
    fs::hard_link(path, place).or_else(|_| fs::copy(path, place).map(drop))
}
