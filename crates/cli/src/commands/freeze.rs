//! `millstream freeze`: leaves an artifact out of plans for a while.

use server::admin::holds::NewHold;
use server::admin::time::Moment;
use server::admin::{ArtifactKey, HoldKind};

use crate::arguments::{Global, Signature, moment};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to freeze.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The artifact, e.g. rpms/zlib#f44
    artifact: ArtifactKey,
    #[command(flatten)]
    signature: Signature,
    /// Until when; until it is released if this is left out
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<Moment>,
}

/// Freezes it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let Args { artifact, signature, until } = args;
    let (author, reason) = (signature.author, signature.reason);
    let new = NewHold { kind: HoldKind::Freeze, artifact, author, reason, until };
    let admin = global.admin().await?;
    output::answer(global, &admin.hold(&new).await?)?;
    Ok(Answer::Yes)
}
