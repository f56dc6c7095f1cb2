//! `millstream retry`: goes on where something stopped, without repeating what succeeded.

use server::admin::retry::RetryRequest;
use server::admin::{ArtifactKey, Signature};

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to try again: builds that failed, and the tests that refused gates object to.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// In this plan only
    plan: Option<i64>,
    /// Of this artifact only
    #[arg(long)]
    artifact: Option<ArtifactKey>,
    /// Only builds that failed; tests of refused gates are left
    #[arg(long)]
    failed_only: bool,
    /// Who decides this
    #[arg(long, env = "MILLSTREAM_AUTHOR", value_name = "NAME")]
    author: String,
    /// Why
    #[arg(long, default_value = "it may succeed now", value_name = "TEXT")]
    reason: String,
}

/// Tries again; no, if there is nothing to try.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let Args { plan, artifact, failed_only, author, reason } = args;
    let admin = global.admin().await?;
    let signature = Signature { author, reason, seen: None };
    let retried = admin.retry(&RetryRequest { plan, artifact, failed_only, signature }).await?;
    output::answer(global, &retried)?;
    Ok(Answer::of(retried.is_any()))
}
