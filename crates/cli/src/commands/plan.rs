//! `millstream plan`: what is done about changes, and what would be.

use clap::Subcommand;
use server::admin::what_if::{Supposition, WhatIf};
use server::admin::{Admin, ArtifactKey};

use crate::arguments::{Global, Limit, Signature};
use crate::failure::{Answer, Failure};
use crate::output::{self, Waiting};

/// What to do with plans.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Show the plan this would get, without a trace: 'commit KIND/NAME#BRANCH=REVISION' or the path of a working tree
    #[arg(long = "if", value_name = "CHANGE")]
    supposed: Option<String>,
    /// Which artifact the working tree is, if its folder's name and branch do not tell
    #[arg(long, requires = "supposed")]
    artifact: Option<ArtifactKey>,
    /// Answer in Markdown
    #[arg(long, requires = "supposed", conflicts_with = "json")]
    markdown: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest plans
    List {
        /// Only those that are not done
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Show a plan: what is rebuilt, retested or left alone, and why
    Show {
        /// Its number
        number: i64,
        /// Answer in Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Let a plan start now instead of waiting for more of the same
    Run {
        /// Its number
        number: i64,
        #[command(flatten)]
        signature: Signature,
    },
    /// Allow a plan to touch more than its rule does
    Approve {
        /// Its number
        number: i64,
        #[command(flatten)]
        signature: Signature,
    },
    /// Cancel what a plan has not finished, and end its builds
    Cancel {
        /// Its number
        number: i64,
        #[command(flatten)]
        signature: Signature,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    if let Some(supposed) = args.supposed {
        // What cannot be read is said before anything is opened.
        let supposition = Supposition::parse(&supposed, args.artifact)?;
        let admin = global.admin().await?;
        let what_if = suppose(&admin, &supposition).await?;
        if args.markdown {
            output::text_block(&what_if.markdown())?;
        } else {
            output::answer(global, &what_if)?;
        }
        return Ok(Answer::Yes);
    }
    let admin = global.admin().await?;
    match args.verb {
        Some(Verb::List { open, limit }) => {
            output::answer(global, &admin.plans(open, limit.limit).await?)?;
        }
        Some(Verb::Show { number, markdown: true }) => {
            output::text_block(&admin.plan(number).await?.markdown())?;
        }
        Some(Verb::Show { number, .. }) => output::answer(global, &admin.plan(number).await?)?,
        Some(Verb::Run { number, signature }) => {
            let report = admin.run_plan(number, &signature.given()).await?;
            output::answer(global, &report)?;
        }
        Some(Verb::Approve { number, signature }) => {
            let report = admin.approve_plan(number, &signature.given()).await?;
            output::answer(global, &report)?;
        }
        Some(Verb::Cancel { number, signature }) => {
            let cancelled = admin.cancel_plan(number, &signature.given()).await?;
            output::answer(global, &cancelled)?;
        }
        None => {
            return Err(Failure::Usage(
                "say what to do: list, show, run, approve, cancel, or --if CHANGE".to_owned(),
            ));
        }
    }
    Ok(Answer::Yes)
}

async fn suppose(admin: &Admin, supposition: &Supposition) -> Result<WhatIf, Failure> {
    let _waiting = Waiting::show("reading the source in isolation".to_owned());
    Ok(admin.what_if(supposition).await?)
}
