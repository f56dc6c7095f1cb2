//! `millstream init`: the database, the dist-git folder and its hooks.

use server::admin::Admin;

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to lay out.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Make this repository as well, e.g. rpms/zlib
    #[arg(long, value_name = "KIND/NAME")]
    repository: Option<String>,
}

/// Lays out what is missing; what is there stays.
pub(crate) async fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let admin = Admin::create(global.config()?).await?;
    output::answer(global, &admin.lay_out(args.repository.as_deref()).await?)?;
    admin.close().await;
    Ok(Answer::Yes)
}
