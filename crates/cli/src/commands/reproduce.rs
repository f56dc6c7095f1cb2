//! `millstream reproduce`: builds again from the recorded inputs and compares the facets.

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output::{self, Waiting};

/// Which build.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Its number or its NVR
    build: String,
}

/// Compares; no, if a facet differs.
pub(crate) async fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    let waiting = Waiting::show(format!("building {} again", args.build));
    let reproduction = admin.reproduce(&args.build).await;
    drop(waiting);
    let reproduction = reproduction?;
    output::answer(global, &reproduction)?;
    Ok(Answer::of(reproduction.is_same()))
}
