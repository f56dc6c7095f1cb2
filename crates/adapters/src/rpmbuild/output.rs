//! What a finished build left: its packages and the record that makes them a result.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rpmbuild::BuildError;
use crate::sandbox::{Keeping, SandboxError, keep};

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
    let Some(text) = keep::record(folder, RECORD)? else { return Ok(None) };
    let failed = |source| BuildError::Record { path: folder.join(RECORD), source };
    built(folder, serde_json::from_str(&text).map_err(failed)?).map(Some)
}

/// Takes what a build left in `out`, writes the record beside it and renames the folder into place.
pub(crate) fn place(out: &Path, folder: &Path, took: Duration) -> Result<Built, BuildError> {
    let keeping = Keeping::begin(folder)?;
    let record = Record {
        files: take_files(&out.join("files"), &keeping)?,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        build_requires: build_requires(out)?,
    };
    let text = serde_json::to_vec_pretty(&record)
        .map_err(|source| BuildError::Record { path: folder.join(RECORD), source })?;
    keeping.finish(RECORD, &text)?;
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

/// Moves the packages, and returns their names in order.
fn take_files(from: &Path, keeping: &Keeping) -> Result<Vec<String>, BuildError> {
    let failed = |source| SandboxError::file("read the packages in", from, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let (Some(text), true) = (name.to_str(), entry.file_type().map_err(failed)?.is_file())
        else {
            let what = format!("{name:?} is no package");
            return Err(BuildError::Output { what, folder: from.to_owned() });
        };
        keeping.take(&entry.path(), Path::new(text))?;
        names.push(text.to_owned());
    }
    names.sort();
    Ok(names)
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
