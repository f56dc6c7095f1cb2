//! `millstream compose`: what composes ship, what changed between two, and one made for this machine alone.

use std::path::PathBuf;

use clap::Subcommand;
use server::admin::ArtifactKey;

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output::{self, Waiting};

/// What to ask of composes.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest composes
    List {
        /// Of this artifact only, e.g. composes/server#f44
        artifact: Option<ArtifactKey>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Show what a compose ships, what it reused, and what changed since the one before
    Show {
        /// Its id, its build's number or NVR, or its artifact
        compose: String,
    },
    /// Show what changed from one compose to another
    Diff {
        /// The earlier one
        from: String,
        /// The later one
        to: String,
    },
    /// Make a compose of what is published
    Run {
        /// Which, e.g. composes/server#f44
        artifact: ArtifactKey,
        /// On this machine alone: nothing is recorded or published. A server makes composes by itself
        #[arg(long, required = true)]
        local: bool,
        /// The folder to put it in
        #[arg(long, default_value = "composes", value_name = "FOLDER")]
        output: PathBuf,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::List { artifact, limit } => {
            output::answer(global, &admin.composes(artifact.as_ref(), limit.limit).await?)?;
        }
        Verb::Show { compose } => output::answer(global, &admin.compose(&compose).await?)?,
        Verb::Diff { from, to } => {
            output::answer(global, &admin.compose_difference(&from, &to).await?)?;
        }
        Verb::Run { artifact, output: folder, .. } => {
            let waiting = Waiting::show(format!("composing {artifact}"));
            let made = admin.compose_here(&artifact, &folder).await;
            drop(waiting);
            output::answer(global, &made?)?;
        }
    }
    Ok(Answer::Yes)
}
