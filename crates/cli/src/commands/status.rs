//! `millstream status`: how everything stands.

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// Nothing more is needed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Says it.
pub(crate) async fn run(_: &Args, global: &Global) -> Result<Answer, Failure> {
    output::answer(global, &global.admin().await?.status().await?)?;
    Ok(Answer::Yes)
}
