//! `millstream repo`: what is in repositories, and a snapshot of it.

use std::path::PathBuf;

use clap::Subcommand;

use super::repositories::{Listed, Repositories};
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of repositories.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Read repositories or a snapshot and say what is in them
    Info {
        #[command(flatten)]
        repositories: Repositories,
    },
    /// Read repositories and write a snapshot, which is opened at once
    Load {
        #[command(flatten)]
        listed: Listed,
        /// The file to write; one that is there is replaced as a whole
        #[arg(long, value_name = "FILE", requires = "repositories")]
        snapshot: PathBuf,
        /// How many threads work
        #[arg(long, value_name = "NUMBER", default_value_t = 2)]
        threads: usize,
    },
}

/// Asks it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let loaded = match &args.verb {
        Verb::Info { repositories } => repositories.load()?,
        Verb::Load { listed, snapshot, threads } => {
            let loaded = listed.load((*threads).max(1))?;
            loaded.save(snapshot)?;
            loaded
        }
    };
    output::answer(global, &loaded.info())?;
    Ok(Answer::Yes)
}
