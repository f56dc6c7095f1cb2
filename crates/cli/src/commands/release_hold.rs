//! `millstream release-hold`: lets an artifact go on. What a freeze left out is asked for.

use server::admin::ArtifactKey;

use crate::arguments::{Global, Signature};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to release.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The artifact, e.g. rpms/zlib#f44
    artifact: ArtifactKey,
    #[command(flatten)]
    signature: Signature,
}

/// Releases it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    output::answer(global, &admin.release(&args.artifact, &args.signature.given()).await?)?;
    Ok(Answer::Yes)
}
