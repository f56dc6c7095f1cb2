//! `millstream doctor`: looks whether the machine has what a server needs.

use server::admin::doctor;

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// Nothing more is needed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Says what was found; no, if something is amiss.
pub(crate) async fn run(_: &Args, global: &Global) -> Result<Answer, Failure> {
    let diagnosis = doctor::examine(&global.config()?).await;
    output::answer(global, &diagnosis)?;
    Ok(Answer::of(diagnosis.is_healthy()))
}
