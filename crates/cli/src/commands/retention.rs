//! `millstream retention`: what is removed from the disk, when and why.

use clap::Subcommand;
use server::admin::SubjectKind;

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask, or to do.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what was removed: when, why, and how much room that made
    List {
        /// Of this kind only: log, test-log, outputs, snapshot, generation or compose
        #[arg(long)]
        kind: Option<SubjectKind>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Remove now what the configuration no longer keeps
    Run {
        /// Only say what would be removed, and what is kept for which reason
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::List { kind, limit } => {
            output::answer(global, &admin.removals(kind, limit.limit).await?)?;
        }
        Verb::Run { dry_run: true } => output::answer(global, &admin.preview_retention().await?)?,
        Verb::Run { dry_run: false } => output::answer(global, &admin.run_retention().await?)?,
    }
    Ok(Answer::Yes)
}
