//! `millstream audit`: who wrote what over HTTP.

use clap::Subcommand;

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of the audit log.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest writes
    List {
        /// With this token or in sessions of this person only
        #[arg(long, value_name = "NAME")]
        actor: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let Verb::List { actor, limit } = args.verb;
    let admin = global.admin().await?;
    output::answer(global, &admin.audit_log(actor.as_deref(), limit.limit).await?)?;
    Ok(Answer::Yes)
}
