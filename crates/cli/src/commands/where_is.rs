//! `millstream where`: is a fresh build of something under way, complete, published, or on its way?

use server::admin::whereabouts::Question;
use server::admin::{BranchName, Evr};

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What is looked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// An artifact (rpms/zlib#f44), or a package by its name, NVR or NEVRA
    name: String,
    /// The version that is installed, unless the name holds one
    #[arg(long, value_name = "EVR")]
    installed: Option<Evr>,
    /// On this branch only
    #[arg(long, value_name = "BRANCH")]
    branch: Option<BranchName>,
}

/// Answers; no, if there is or will be something newer than what is installed.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let Args { name, installed, branch } = args;
    let admin = global.admin().await?;
    let found = admin.whereabouts(&Question { name, installed, branch }).await?;
    output::answer(global, &found)?;
    Ok(Answer::of(found.installed.is_none() || found.is_current()))
}
