//! `millstream rules`: what starts a change, how far it goes, and when.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use server::admin::Admin;
use server::admin::rules::{self, Subject, Trials};

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output::{self, Waiting};

/// What to do with rules.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the rules in force, shipped and configured
    List,
    /// Look for what is wrong with rule files
    Lint {
        /// The folder; the configured one if it is left out
        folder: Option<PathBuf>,
    },
    /// Show what the rules would do about recorded events, without a trace
    Test {
        /// A file of messages, one JSON object {id?, topic, body} on each line; the newest events if it is left out
        file: Option<PathBuf>,
        /// Another folder of rules than the configured one
        #[arg(long, value_name = "FOLDER")]
        rules: Option<PathBuf>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Say which rules apply to an event or an artifact, and why the others do not
    Explain {
        /// The number of an event, or an artifact, e.g. rpms/zlib#f44
        #[arg(value_name = "EVENT|ARTIFACT")]
        subject: Subject,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    match args.verb {
        // Rules are looked at before they are put where a server reads them, so neither needs a store.
        Verb::List => output::answer(global, &rules::list(&global.config()?)?)?,
        Verb::Lint { folder } => {
            let lint = rules::lint(&global.config()?, folder.as_deref())?;
            output::answer(global, &lint)?;
            match lint.problems.len() {
                0 => {}
                many => {
                    let s = if many == 1 { "" } else { "s" };
                    let sentence = format!("{many} problem{s}: no server starts with these rules");
                    return Err(Failure::Usage(sentence));
                }
            }
        }
        Verb::Test { file, rules, limit } => {
            let mut config = global.config()?;
            config.rules = rules.or(config.rules);
            let admin = Admin::open(config).await?;
            let trials = try_rules(&admin, file.as_deref(), limit.limit).await?;
            output::answer(global, &trials)?;
        }
        Verb::Explain { subject } => {
            output::answer(global, &global.admin().await?.explain_rules(&subject).await?)?;
        }
    }
    Ok(Answer::Yes)
}

async fn try_rules(admin: &Admin, file: Option<&Path>, limit: u32) -> Result<Trials, Failure> {
    let _waiting = Waiting::show("asking the rules".to_owned());
    Ok(admin.try_rules(file, limit).await?)
}
