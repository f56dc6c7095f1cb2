//! RPM files -> what they are, provide and require.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::artifact::InvalidName;
use model::digest::Digest;
use model::package::Package;
use model::requirement::{Capability, Requirement};
use sha2::Digest as _;

use crate::repository::CommandError;
use crate::repository::command::{clean, output};

/// Why RPM files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// rpm does not accept them.
    #[error(transparent)]
    Rpm(#[from] CommandError),
    /// A file cannot be read.
    #[error("could not read the package {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// rpm's answer has a name or a version that is none.
    #[error("{path}: {problem}")]
    Strange {
        /// Which file.
        path: PathBuf,
        /// What is strange.
        problem: InvalidName,
    },
    /// rpm answered about fewer files than it was asked about.
    #[error("rpm said nothing about {path}")]
    Unanswered {
        /// Which file.
        path: PathBuf,
    },
}

/// rpm has the time to read a few hundred headers.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// One record for each file, one line for each fact. A NUL cannot occur in any of them, a newline could.
const FORMAT: &str = "N %{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n\
                      [P %{PROVIDENEVRS}\\n][R %{REQUIRENEVRS}\\n]E\\n";

/// Reads packages, sorted by NEVRA.
///
/// # Errors
/// [`PackageError`] names the file.
pub async fn read(paths: &[PathBuf]) -> Result<Vec<Package>, PackageError> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = clean("rpm");
    command.args(["-qp", "--nosignature", "--nodigest", "--qf", FORMAT]).args(paths);
    let printed = output(command, TIME_LIMIT).await?;
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let mut records = printed.split("E\n");
    let mut packages = Vec::new();
    for path in paths {
        let record = records.next().filter(|record| !record.is_empty());
        let record = record.ok_or_else(|| PackageError::Unanswered { path: path.clone() })?;
        packages.push(package(path, record)?);
    }
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    Ok(packages)
}

fn package(path: &Path, record: &str) -> Result<Package, PackageError> {
    let strange = |problem| PackageError::Strange { path: path.to_owned(), problem };
    let facts = |kind: &'static str| record.lines().filter_map(move |line| line.strip_prefix(kind));
    let name = facts("N ").next().unwrap_or_default();
    let provides: Result<Vec<Capability>, _> = facts("P ").map(str::parse).collect();
    let requires: Result<Vec<Requirement>, _> = facts("R ").map(str::parse).collect();
    let (digest, size) =
        digest(path).map_err(|error| PackageError::File { path: path.to_owned(), error })?;
    Ok(Package {
        nevra: name.parse().map_err(strange)?,
        file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        digest,
        size,
        provides: provides.map_err(strange)?,
        requires: requires.map_err(strange)?,
    })
}

fn digest(path: &Path) -> io::Result<(Digest, u64)> {
    let mut hasher = sha2::Sha256::new();
    let mut file = File::open(path)?;
    let mut size = 0;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok((Digest(hasher.finalize().into()), size)),
            read => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}
