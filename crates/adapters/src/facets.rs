//! Turns binary RPM files into facets: sorted lines for each aspect of a package that others may listen to.
//!
//! A facet must change when something changed that its listeners could notice, and should change only then.
//! In doubt a line is kept as it is: a rebuild too many costs time, one too few ships something stale.

mod comments;
mod contents;
mod cpio;
mod elf;
mod header;
mod own_version;
mod relations;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use model::facet::{BuildFacets, Facet, PackageFacets};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use crate::repository::command::{self, CommandError, Finished};
pub use contents::PayloadError;
pub use cpio::CpioError;
use header::Header;
pub use header::HeaderError;
use own_version::OwnVersions;

/// Lines of facets as they are found, in no order.
type Lines = Vec<(Facet, String)>;

/// Why packages have no facets.
#[derive(Debug, thiserror::Error)]
pub enum FacetError {
    /// A header cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A source package was given: it has no facets.
    #[error("{}: a source package has no facets", path.display())]
    Source {
        /// The package.
        path: PathBuf,
    },
    /// The payload cannot be unpacked.
    #[error("{}: {source}", path.display())]
    Unpack {
        /// The package.
        path: PathBuf,
        /// Why.
        source: CommandError,
    },
    /// A file in the payload cannot be read.
    #[error("{}: {source}", path.display())]
    Payload {
        /// The package.
        path: PathBuf,
        /// Why.
        source: PayloadError,
    },
    /// The system refused a pipe.
    #[error("could not open a pipe: {0}")]
    Pipe(io::Error),
    /// The reader of a payload died.
    #[error("the reader of a payload died: {0}")]
    Reader(#[from] JoinError),
}

/// Unpacking is bound by the disk; this is for a pipe that hangs.
const TIME_LIMIT: Duration = Duration::from_secs(900);

/// How many payloads are read at the same time.
const READERS: usize = 4;

/// The facets of packages, sorted by name and architecture. Debug packages have none: their files are named by build-ids.
///
/// Give all packages of a build at once: the version of a sibling counts as a package's own.
pub async fn read(packages: &[PathBuf]) -> Result<BuildFacets, FacetError> {
    let headers = header::read(packages).await?;
    if let Some(header) = headers.iter().find(|header| header.source.is_empty()) {
        return Err(FacetError::Source { path: header.path.clone() });
    }
    let own = own_versions(&headers);
    let places = Arc::new(Semaphore::new(READERS));
    let mut readers = JoinSet::new();
    for header in headers.into_iter().filter(|header| !is_debug_package(&header.name)) {
        let own = Arc::clone(&own[&header.source]);
        let places = Arc::clone(&places);
        readers.spawn(async move {
            // The semaphore is never closed, so there is always a place in the end.
            let _place = places.acquire_owned().await.ok();
            read_one(Arc::new(header), own).await
        });
    }
    let mut found = Vec::new();
    while let Some(facets) = readers.join_next().await {
        found.push(facets??);
    }
    found.sort_by(|a, b| (&a.package, &a.arch).cmp(&(&b.package, &b.arch)));
    Ok(BuildFacets(found))
}

/// The versions that count as own, for each source package.
fn own_versions(headers: &[Header]) -> BTreeMap<String, Arc<OwnVersions>> {
    let sources: BTreeSet<&String> = headers.iter().map(|header| &header.source).collect();
    let of =
        |source: &String| OwnVersions::of(headers.iter().filter(|header| header.source == *source));
    sources.into_iter().map(|source| (source.clone(), Arc::new(of(source)))).collect()
}

fn is_debug_package(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource")
}

async fn read_one(header: Arc<Header>, own: Arc<OwnVersions>) -> Result<PackageFacets, FacetError> {
    let mut lines = relations::lines(&header, &own);
    lines.extend(read_payload(&header, &own).await?);
    let mut facets: BTreeMap<Facet, BTreeSet<String>> = BTreeMap::new();
    for (facet, line) in lines {
        facets.entry(facet).or_default().insert(line);
    }
    let facets =
        facets.into_iter().map(|(facet, lines)| (facet, lines.into_iter().collect())).collect();
    Ok(PackageFacets { package: header.name.clone(), arch: header.arch.clone(), facets })
}

async fn read_payload(header: &Arc<Header>, own: &Arc<OwnVersions>) -> Result<Lines, FacetError> {
    let (reader, writer) = io::pipe().map_err(FacetError::Pipe)?;
    let mut unpack = command::clean("rpm2cpio");
    unpack.arg(absolute(&header.path)).stdout(Stdio::from(writer));
    let payload = {
        let (header, own) = (Arc::clone(header), Arc::clone(own));
        tokio::task::spawn_blocking(move || {
            contents::lines(io::BufReader::new(reader), &header, &own)
        })
    };
    let unpacked = command::finish(unpack, TIME_LIMIT).await.and_then(told_its_end);
    let lines = payload.await?;
    let path = || header.path.clone();
    unpacked.map_err(|source| FacetError::Unpack { path: path(), source })?;
    lines.map_err(|source| FacetError::Payload { path: path(), source })
}

/// `rpm2cpio` is killed by its pipe when the reader has seen enough; then the reader's error is the one to tell.
fn told_its_end(finished: Finished) -> Result<(), CommandError> {
    if finished.status.success() || finished.status.code().is_none() {
        Ok(())
    } else {
        Err(finished.failure())
    }
}

/// `rpm2cpio` has no `--`: an absolute path cannot be taken for an option.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
