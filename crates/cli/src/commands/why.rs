//! `millstream why`: the chain of reasons from an artifact to an event, or from a package to what is asked of
//! repositories.

use server::admin::ArtifactKey;

use super::asking::Asking;
use super::repositories::Repositories;
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// About what.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// An artifact of a plan, e.g. rpms/zlib#f44; with --repo or --snapshot a package, by name, NEVRA or what it provides
    what: String,
    /// In this plan, not in the newest one that has it
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["repositories", "snapshot"])]
    plan: Option<i64>,
    #[command(flatten)]
    repositories: Repositories,
    /// Where this is installed, as `resolve` understands it; may be given more than once
    #[arg(long = "for", value_name = "WISH")]
    wishes: Vec<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Answers; no, if a package would not be installed.
pub(crate) async fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let is_asked = !args.wishes.is_empty() || args.asking.asks();
    match (args.repositories.are_named(), is_asked) {
        (true, true) => package(args, global),
        (true, false) => Err(Failure::Usage(
            "say what is installed: --for WISH, --source NAME or --build-group FILE".to_owned(),
        )),
        (false, true) => Err(Failure::Usage(
            "say from where it is installed: --repo FOLDER, or --snapshot FILE".to_owned(),
        )),
        (false, false) => artifact(args, global).await,
    }
}

fn package(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let presence =
        args.repositories.load()?.presence(&args.what, &args.asking.asked(&args.wishes)?)?;
    output::answer(global, &presence)?;
    Ok(Answer::of(presence.is_installed()))
}

async fn artifact(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let artifact = args.what.parse::<ArtifactKey>().map_err(|error| {
        Failure::Usage(format!("{error}; a package is asked about with --repo or --snapshot"))
    })?;
    let admin = global.admin().await?;
    output::answer(global, &admin.why(&artifact, args.plan).await?)?;
    Ok(Answer::Yes)
}
