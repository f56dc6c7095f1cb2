//! What every command understands, and how words on the command line are read.

use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use server::admin::time::Moment;
use server::admin::{self, Admin, Request, Severity};
use server::config::Config;

use crate::commands::Command;
use crate::failure::Failure;

/// Rebuilds what a change makes stale: in the right order, only where it matters, behind tests, with a reason for
/// every decision.
#[derive(Debug, Parser)]
#[command(name = "millstream", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where things are, and how answers look.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// The configuration file
    #[arg(long, global = true, env = "MILLSTREAM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything but the database [default: millstream-data]
    #[arg(long, global = true, env = "MILLSTREAM_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://USER@HOST/NAME [default: a file in the data folder]
    #[arg(long, global = true, env = "MILLSTREAM_DB", value_name = "URL", hide_env_values = true)]
    db: Option<String>,
    /// The folder of bare git repositories [default: distgit in the data folder]
    #[arg(long, global = true, env = "MILLSTREAM_DISTGIT", value_name = "FOLDER")]
    distgit: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log to standard error: off, error, warn, info, debug or trace, also by module
    #[arg(long, global = true, env = "MILLSTREAM_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

impl Global {
    /// The configuration file, with the command line above it.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        if let Some(db) = &self.db {
            config.db = Some(db.clone());
        }
        if let Some(distgit) = &self.distgit {
            config.distgit = Some(distgit.clone());
        }
        // Builders and git run in folders of their own, where a relative path means another place.
        config.data = absolute(&config.data)?;
        config.distgit = config.distgit.as_deref().map(absolute).transpose()?;
        Ok(config)
    }

    /// The folder as it was named on the command line or in the environment, if it was.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The store, which has to be there.
    pub(crate) async fn admin(&self) -> Result<Admin, Failure> {
        Ok(Admin::open(self.config()?).await?)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// Who decides something, and why: both are kept.
#[derive(Args, Debug)]
pub(crate) struct Signature {
    /// Who decides this
    #[arg(long, env = "MILLSTREAM_AUTHOR", value_name = "NAME")]
    pub(crate) author: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

impl Signature {
    /// As whoever acts upon it takes it.
    pub(crate) fn given(self) -> admin::Signature {
        let Self { author, reason } = self;
        admin::Signature { author, reason, seen: None }
    }
}

/// How much of a listing is shown.
#[derive(Args, Debug)]
pub(crate) struct Limit {
    /// How many at most, the newest first
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    pub(crate) limit: u32,
}

/// Reads `rebuild` or `retest`.
pub(crate) fn request(text: &str) -> Result<Request, String> {
    match text {
        "rebuild" => Ok(Request::Rebuild),
        "retest" => Ok(Request::Retest),
        _ => Err("expected rebuild or retest".to_owned()),
    }
}

/// Reads the name of a severity.
pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    let known = || Severity::ALL.map(Severity::as_str).join(", ");
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| format!("expected one of {}", known()))
}

/// Reads a time.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    text.parse().map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_command_line_stands_above_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("millstream.toml");
        std::fs::write(&file, "data = \"/from/file\"\ndb = \"sqlite:file\"\n").unwrap();
        let file = file.to_str().unwrap();
        let arguments =
            Arguments::parse_from(["millstream", "--config", file, "--data", "here", "status"]);
        let config = arguments.global.config().unwrap();
        assert_eq!(config.db_url(), "sqlite:file");
        assert!(
            config.data.is_absolute() && config.data.ends_with("here"),
            "{}",
            config.data.display()
        );
    }
}
