//! What would be installed from repositories, and who needs what: the solver, asked about folders of metadata.
//!
//! Nothing here needs a store or a server.

pub mod wanted;

pub mod question;

pub mod batch;
pub mod presence;
pub mod resolve;

pub mod info;
pub mod package;
pub(crate) mod providers;
pub mod remote;
pub mod requires;

pub mod depcheck;

pub(crate) mod ready;
pub(crate) mod shelf;
pub(crate) mod unbuilt;

#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use solver::change::LiveUniverse;
use solver::snapshot::Origin;
use solver::tables::{PackageId, Tables};
use solver::universe::Universe;

use crate::admin::AdminError;
use wanted::Wanted;

/// Repositories that are loaded.
#[derive(Debug)]
pub struct Loaded {
    /// What the solver runs on.
    pub(crate) universe: Universe,
    /// How long it took from opening the first file.
    pub took: Duration,
    /// What it was made from.
    origin: Origin,
    /// The packages that modules hide, each with the reason, where that is known.
    hidden: Vec<(PackageId, String)>,
    wanted: Wanted,
}

/// Repositories that are loaded and can follow changes, real ones and hypotheses.
#[derive(Debug)]
pub struct Followed {
    pub(crate) live: LiveUniverse,
    wanted: Wanted,
}

impl Loaded {
    /// Gets ready to follow changes.
    pub fn follow(self) -> Followed {
        Followed { live: LiveUniverse::new(self.universe), wanted: self.wanted }
    }
}

/// The name in front of a version and a release: in a NEVRA, or in the file name of a source package.
pub(crate) fn name_of(text: &str) -> Option<&str> {
    text.rsplitn(3, '-').nth(2)
}

/// The name of the source that a binary package was built from, where that is known.
pub(crate) fn source_name(tables: &Tables, id: PackageId) -> Option<&str> {
    name_of(tables.strings.text(tables.package(id).source))
}

/// The lines of a file of names, those without a word left out.
///
/// # Errors
/// [`AdminError::Input`] where it cannot be read.
pub fn lines(file: &Path) -> Result<Vec<String>, AdminError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        AdminError::Input(format!("could not read {}: {error}", file.display()))
    })?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// The names of a file, to look them up.
pub(crate) fn names(file: &Path) -> Result<HashSet<String>, AdminError> {
    Ok(lines(file)?.into_iter().collect())
}

/// Answers on a thread where nobody waits for anything else.
pub(crate) async fn threaded<T: Send + 'static>(
    answer: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    tokio::task::spawn_blocking(answer).await.map_err(AdminError::outside)?
}
