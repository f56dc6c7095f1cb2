//! `millstream image`: what is in images, and which of them contain a package.

use clap::Subcommand;
use server::admin::{BranchName, Capability};

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of images.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest image of each artifact
    List {
        /// Of this branch only
        #[arg(long)]
        branch: Option<BranchName>,
        /// Only those that contain this package, e.g. 'zlib < 1.3-2'; the answer is no if none does
        #[arg(long, value_name = "PACKAGE")]
        contains: Option<Capability>,
    },
    /// Show what is in an image, on what it stands, and what changed since the one before
    Show {
        /// Its build's number or NVR, or its artifact
        image: String,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::List { branch, contains } => {
            let images = admin.images(branch.as_ref(), contains.as_ref()).await?;
            output::answer(global, &images)?;
            Ok(Answer::of(images.is_contained()))
        }
        Verb::Show { image } => {
            output::answer(global, &admin.image(&image).await?)?;
            Ok(Answer::Yes)
        }
    }
}
