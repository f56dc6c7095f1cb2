//! `millstream branch`: where branches pointed, and when.

use clap::Subcommand;
use server::admin::ArtifactKey;

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of a branch.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the moves of a branch, forced pushes and deletions included
    History {
        /// Whose branch, e.g. rpms/zlib#f44
        artifact: ArtifactKey,
        #[command(flatten)]
        limit: Limit,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::History { artifact, limit } => {
            output::answer(global, &admin.branch_history(&artifact, limit.limit).await?)?;
        }
    }
    Ok(Answer::Yes)
}
