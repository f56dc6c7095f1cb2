//! `millstream whatrequires`: who needs a package, a capability or a file.

use server::dependencies::requires::Reach;

use super::repositories::Repositories;
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// Who needs what.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    repositories: Repositories,
    /// Follow those who need it to those who need these, and so on
    #[arg(long)]
    recursive: bool,
    /// Only those who cannot do without it
    #[arg(long)]
    strict: bool,
    /// A package's name, a capability such as 'libz.so.1()(64bit)', or a path
    what: String,
}

/// Asks it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let followed = args.repositories.load()?.follow();
    let reach = Reach { recursive: args.recursive, strict: args.strict };
    let found = followed.what_requires(&args.what, reach);
    output::answer(global, &found)?;
    Ok(Answer::of(found.is_known()))
}
