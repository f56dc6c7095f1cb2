//! `millstream why`: the chain of reasons from an artifact to an event.

use server::admin::ArtifactKey;

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// About what.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The artifact, e.g. rpms/zlib#f44
    artifact: ArtifactKey,
    /// In this plan, not in the newest one that has it
    #[arg(long, value_name = "NUMBER")]
    plan: Option<i64>,
}

/// Answers.
pub(crate) async fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    output::answer(global, &admin.why(&args.artifact, args.plan).await?)?;
    Ok(Answer::Yes)
}
