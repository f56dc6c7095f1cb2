//! `millstream subscribe`: who is told of what, and how.

use clap::Subcommand;
use server::admin::subscriptions::NewSubscription;
use server::admin::{NoticeKind, Pace};

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to do with subscriptions.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Have somebody told
    Add(Add),
    /// List who is told of what
    List,
    /// Have nobody told any more
    Remove {
        /// The subscription's number
        number: i64,
    },
    /// List what people were told of
    Notices {
        /// Of this kind only, e.g. failed
        #[arg(long)]
        kind: Option<NoticeKind>,
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(clap::Args, Debug)]
struct Add {
    /// Who
    #[arg(long, value_name = "NAME")]
    person: String,
    /// Their address, for mail
    #[arg(
        long,
        value_name = "MAIL",
        required_unless_present = "webhook",
        conflicts_with = "webhook"
    )]
    address: Option<String>,
    /// A URL, for requests signed as Standard Webhooks has it; the secret is printed once
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Artifacts, a glob such as 'rpms/zlib#*'; may be given more than once; all if it is left out
    #[arg(long = "artifact", value_name = "GLOB")]
    artifacts: Vec<String>,
    /// What about: rejected, failed, held, waiting-for-sign-off, proposed, rule, published, shadow-report; all trouble and
    /// what waits for a person if it is left out. That a trouble is over is told to whoever was told of it
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    on: Vec<NoticeKind>,
    /// When: immediate or daily
    #[arg(long, default_value = "immediate", value_name = "PACE")]
    digest: Pace,
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::Add(add) => {
            let Add { person, address, webhook, artifacts, on, digest } = add;
            let new = NewSubscription { person, address, webhook, artifacts, on, pace: digest };
            output::answer(global, &admin.subscribe(new).await?)?;
        }
        Verb::List => output::answer(global, &admin.subscriptions().await?)?,
        Verb::Remove { number } => output::answer(global, &admin.unsubscribe(number).await?)?,
        Verb::Notices { kind, limit } => {
            output::answer(global, &admin.notices(kind, limit.limit).await?)?;
        }
    }
    Ok(Answer::Yes)
}
