//! `millstream hold`: keeps an artifact's steps from starting, and lists what is frozen and held.

use clap::Subcommand;
use server::admin::holds::NewHold;
use server::admin::time::Moment;
use server::admin::{ArtifactKey, HoldKind};

use crate::arguments::{Global, Limit, moment};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to hold.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The artifact, e.g. rpms/zlib#f44
    #[arg(required = true)]
    artifact: Option<ArtifactKey>,
    /// Who decides this
    #[arg(long, env = "MILLSTREAM_AUTHOR", required = true, value_name = "NAME")]
    author: Option<String>,
    /// Why
    #[arg(long, required = true, value_name = "TEXT")]
    reason: Option<String>,
    /// Until when; until it is released if this is left out
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<Moment>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List freezes and holds
    List {
        /// Those that are over, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        limit: Limit,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    if let Some(Verb::List { all, limit }) = args.verb {
        output::answer(global, &admin.holds(None, all, limit.limit).await?)?;
        return Ok(Answer::Yes);
    }
    let (Some(artifact), Some(author), Some(reason)) = (args.artifact, args.author, args.reason)
    else {
        return Err(Failure::Usage(
            "hold wants an artifact, --author and --reason, or `list`".to_owned(),
        ));
    };
    let new = NewHold { kind: HoldKind::Hold, artifact, author, reason, until: args.until };
    output::answer(global, &admin.hold(&new).await?)?;
    Ok(Answer::Yes)
}
