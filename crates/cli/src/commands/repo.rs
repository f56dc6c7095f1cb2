//! `millstream repo`: what is in repositories.

use clap::Subcommand;

use super::resolve::Repositories;
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
    /// Read repositories and say what is in them
    Info {
        #[command(flatten)]
        repositories: Repositories,
    },
}

/// Asks it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let Verb::Info { repositories } = &args.verb;
    output::answer(global, &repositories.load()?.info())?;
    Ok(Answer::Yes)
}
