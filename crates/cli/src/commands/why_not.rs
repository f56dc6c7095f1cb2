//! `millstream why-not`: what stopped a change before an artifact.

use server::admin::ArtifactKey;

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// About what.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The artifact, e.g. rpms/zlib#f44
    artifact: ArtifactKey,
    /// On account of this event
    #[arg(long, value_name = "NUMBER", conflicts_with = "plan")]
    event: Option<i64>,
    /// In this plan
    #[arg(long, value_name = "NUMBER")]
    plan: Option<i64>,
}

/// Answers; no, if it is rebuilt after all.
pub(crate) async fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    let why_not = admin.why_not(&args.artifact, args.event, args.plan).await?;
    output::answer(global, &why_not)?;
    Ok(Answer::of(!why_not.rebuilt))
}
