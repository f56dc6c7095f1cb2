//! Runs git: never asking, never reading the user's configuration, never for longer than it may.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::DistGitError;
use crate::repository::command::{self, Finished};

const TIME_LIMIT: Duration = Duration::from_secs(120);

/// git in a repository or a working tree. Owners of repositories may be others than who runs this.
pub(super) fn git(repository: &Path) -> Command {
    let mut command = command::clean("git");
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // A folder that is no repository must not be taken for part of one around it.
        .env("GIT_CEILING_DIRECTORIES", parent(repository))
        .arg("-c")
        .arg("safe.directory=*")
        .arg("-C")
        .arg(repository);
    command
}

fn parent(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map_or(PathBuf::from("/"), Path::to_owned)
}

/// Runs git to its end; a refusal of git is an answer here.
pub(super) async fn finish(repository: &str, command: Command) -> Result<Finished, DistGitError> {
    command::finish(command, TIME_LIMIT)
        .await
        .map_err(|source| DistGitError::Git { repository: repository.to_owned(), source })
}

/// Runs git, which must succeed, and returns what it printed.
pub(super) async fn output(repository: &str, command: Command) -> Result<String, DistGitError> {
    let printed = finish(repository, command).await?.success();
    let printed = printed
        .map_err(|source| DistGitError::Git { repository: repository.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
