//! `millstream init`: the dist-git folder, and the hook that wakes the server after a push.

use adapters::distgit;

use crate::config::Config;
use crate::context::StartError;

/// Lays out the dist-git folder; what is there stays.
pub(crate) fn dist_git(config: &Config) -> Result<(), StartError> {
    distgit::init(&config.distgit_root()).map_err(|error| StartError::Outside(error.to_string()))
}
