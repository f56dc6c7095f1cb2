//! The folder of a finished build: it appears at once and complete, or not at all.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rpmbuild::BuildError;
use crate::sandbox::SandboxError;

/// The file that makes a folder a finished build.
const RECORD: &str = "build.json";

/// The result of a successful build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Binary packages, ordered by name.
    pub rpms: Vec<PathBuf>,
    /// The source package.
    pub srpm: PathBuf,
    /// From start to end, with the making of the root.
    pub duration: Duration,
    /// BuildRequires as the source package states them, without rpm's own features.
    pub build_requires: Vec<String>,
}

/// `build.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// File names in the folder, sorted; the one that ends in `.src.rpm` is the source package.
    files: Vec<String>,
    duration_ms: u64,
    build_requires: Vec<String>,
}

/// Reads the result of a build that finished earlier; `None` if there is none.
///
/// # Errors
/// The folder has a record that cannot be read.
pub fn collect(folder: &Path) -> Result<Option<Built>, BuildError> {
    let path = folder.join(RECORD);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SandboxError::file("read", path, source).into()),
    };
    let record = serde_json::from_str(&text);
    let record: Record = record.map_err(|source| BuildError::Record { path, source })?;
    built(folder, record).map(Some)
}

/// Takes what a build left in `out`, writes the record beside it and renames the folder into place.
pub(crate) fn place(out: &Path, folder: &Path, took: Duration) -> Result<Built, BuildError> {
    let mut name = folder.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    remove(&partial)?;
    fs::create_dir_all(&partial).map_err(|source| SandboxError::file("make", &partial, source))?;

    let files = take_files(&out.join("files"), &partial)?;
    let record = Record {
        files,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        build_requires: build_requires(out)?,
    };
    let path = partial.join(RECORD);
    let text = serde_json::to_vec_pretty(&record)
        .map_err(|source| BuildError::Record { path: path.clone(), source })?;
    fs::write(&path, text)
        .and_then(|()| File::open(&path)?.sync_all())
        .and_then(|()| File::open(&partial)?.sync_all())
        .map_err(|source| SandboxError::file("write", &path, source))?;

    // A folder without a record is what is left of a server that was killed here.
    remove(folder)?;
    fs::rename(&partial, folder)
        .map_err(|source| SandboxError::file("put in place", folder, source))?;
    built(folder, record)
}

fn build_requires(out: &Path) -> Result<Vec<String>, BuildError> {
    let path = out.join("build-requires");
    let text = fs::read_to_string(&path)
        .map_err(|source| SandboxError::file("read the reported BuildRequires", &path, source))?;
    let own = |line: &&str| !line.is_empty() && !line.starts_with("rpmlib(");
    let mut lines: Vec<String> =
        text.lines().map(str::trim).filter(own).map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    Ok(lines)
}

/// Moves the packages, makes them ours, and returns their names in order.
fn take_files(from: &Path, to: &Path) -> Result<Vec<String>, BuildError> {
    let failed = |source| SandboxError::file("read the packages in", from, source);
    let own = fs::metadata(to).map_err(failed)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let (Some(text), true) = (name.to_str(), entry.file_type().map_err(failed)?.is_file())
        else {
            let what = format!("{name:?} is no package");
            return Err(BuildError::Output { what, folder: from.to_owned() });
        };
        let place = to.join(text);
        take(&entry.path(), &place, (own.uid(), own.gid()))
            .map_err(|source| SandboxError::file("take over the package", &place, source))?;
        names.push(text.to_owned());
    }
    names.sort();
    Ok(names)
}

fn take(from: &Path, to: &Path, (user, group): (u32, u32)) -> io::Result<()> {
    // The two folders may lie on different file systems.
    if fs::rename(from, to).is_err() {
        fs::copy(from, to)?;
    }
    if fs::metadata(to)?.uid() != user {
        chown(to, Some(user), Some(group))?;
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o644))?;
    File::open(to)?.sync_all()
}

fn built(folder: &Path, record: Record) -> Result<Built, BuildError> {
    let paths = record.files.iter().map(|name| folder.join(name));
    let is_source = |path: &PathBuf| path.to_string_lossy().ends_with(".src.rpm");
    let (sources, rpms): (Vec<_>, Vec<_>) = paths.partition(is_source);
    let Some(srpm) = sources.into_iter().next() else {
        let what = "there is no source package".to_owned();
        return Err(BuildError::Output { what, folder: folder.to_owned() });
    };
    let duration = Duration::from_millis(record.duration_ms);
    Ok(Built { rpms, srpm, duration, build_requires: record.build_requires })
}

fn remove(folder: &Path) -> Result<(), SandboxError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SandboxError::file("remove the incomplete", folder, error))
        }
        _ => Ok(()),
    }
}
