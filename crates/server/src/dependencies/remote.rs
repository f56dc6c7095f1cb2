//! Repositories that lie elsewhere: fetched into a cache before they are read.

use std::path::{Path, PathBuf};

use adapters::repos::{Cache, FetchError, Place, address_of};

use crate::admin::AdminError;

pub use adapters::repos::{Listener, Progress};

/// Whether what somebody names has to be fetched.
///
/// # Errors
/// [`AdminError::Input`] where it is like an address, and none.
pub fn is_elsewhere(named: &Path) -> Result<bool, AdminError> {
    let place = Place::of(named).map_err(told)?;
    Ok(matches!(place, Place::Elsewhere(_)))
}

/// The folder of what somebody names: an address is brought up to date in a cache, everything else is taken as it is.
///
/// # Errors
/// [`AdminError::Input`] where it cannot be an address, else [`AdminError::Outside`] with the URL.
pub async fn fetch(
    named: &Path,
    cache: &Path,
    listener: Listener<'_>,
) -> Result<PathBuf, AdminError> {
    let place = Place::of(named).map_err(told)?;
    let fetched = Cache::at(cache).fetch(&place, listener).await;
    Ok(fetched.map_err(told)?.folder)
}

/// What a repository is called in answers: where it came from, or else its folder.
pub(crate) fn name(folder: &Path) -> String {
    address_of(folder).unwrap_or_else(|| folder.display().to_string())
}

fn told(error: FetchError) -> AdminError {
    if error.is_input() { AdminError::input(error) } else { AdminError::outside(error) }
}
