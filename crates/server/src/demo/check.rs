//! What is published, checked by a script that knows nothing of Millstream.

use std::path::Path;
use std::process::Stdio;

use adapters::repository;
use serde::Serialize;
use tokio::process::Command;

use super::distribution::BRANCH;
use crate::admin::AdminError;
use crate::config::Config;

/// What the script said about one generation of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The generation.
    pub generation: i64,
    /// Whether all is well.
    pub passed: bool,
    /// What it printed: if all is well a line each for packages, images and composes, else a line for each problem.
    pub said: Vec<String>,
}

/// The generation that is published now.
pub(super) fn current(config: &Config) -> Result<i64, AdminError> {
    let branch = BRANCH.parse().map_err(AdminError::input)?;
    let current = repository::current_generation(&config.published_root(), &branch)
        .map_err(AdminError::outside)?;
    current.ok_or_else(|| AdminError::Outside("nothing was published".to_owned()))
}

/// Runs the script on a generation. It sees two folders of files, neither the store nor the server; `python`, if there
/// is one, can read composes as others do.
pub(super) async fn check(
    (program, python): (&Path, Option<&Path>),
    config: &Config,
    generation: i64,
) -> Result<Check, AdminError> {
    let folder = config.published_root().join(BRANCH).join(format!("generation-{generation}"));
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C.UTF-8");
    command.arg(folder).arg(config.toolchain_root()).args(python);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| {
        AdminError::Outside(format!("could not start {}: {error}", program.display()))
    })?;
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
    };
    match output.status.code() {
        Some(0) => Ok(Check { generation, passed: true, said: lines(&output.stdout) }),
        // Its answer; anything else means that it could not look.
        Some(1) if output.stderr.is_empty() => {
            Ok(Check { generation, passed: false, said: lines(&output.stdout) })
        }
        _ => Err(AdminError::Outside(format!(
            "{} ended with {}: {}",
            program.display(),
            output.status,
            lines(&output.stderr).join("; ")
        ))),
    }
}
