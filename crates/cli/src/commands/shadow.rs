//! `millstream shadow`: what shadow mode would have done, against what was built.

use clap::Subcommand;
use server::admin::time::Moment;

use crate::arguments::{Global, Limit, moment};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of shadow mode.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Report on a span of time: what we and they built, only we, only they, and what came in another order
    Report {
        /// From when on [default: a day before the end]
        #[arg(long, value_parser = moment, value_name = "TIME")]
        since: Option<Moment>,
        /// Until when [default: now]
        #[arg(long, value_parser = moment, value_name = "TIME")]
        until: Option<Moment>,
        /// As Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// List the daily reports
    List {
        #[command(flatten)]
        limit: Limit,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::Report { since, until, markdown } => {
            let report = admin.shadow_report(since, until).await?;
            if markdown {
                output::text_block(&report.markdown())?;
            } else {
                output::answer(global, &report)?;
            }
        }
        Verb::List { limit } => {
            output::answer(global, &admin.shadow_reports(limit.limit).await?)?;
        }
    }
    Ok(Answer::Yes)
}
