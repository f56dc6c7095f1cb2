//! `millstream depcheck`: whether a side repository can be merged, or packages removed.

use std::path::PathBuf;

use server::dependencies::depcheck::{Hypothesis, Side};
use server::dependencies::lines;

use super::repositories::Repositories;
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What would change.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    repositories: Repositories,
    /// Merge the repository in this folder, or at this address; may be given more than once
    #[arg(long, value_name = "FOLDER|URL", required_unless_present = "without")]
    with: Vec<PathBuf>,
    /// Remove the packages of this name; may be given more than once
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// A file of package names, one a line, that are in every buildroot
    #[arg(long, value_name = "FILE")]
    build_group: Option<PathBuf>,
}

/// Tries it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let group = args.build_group.as_deref().map(lines).transpose()?.unwrap_or_default();
    let mut followed = args.repositories.load()?.follow();
    let with = args.repositories.cache().folders(&args.with)?.into_iter().map(Side::Repository);
    let hypothesis = Hypothesis { with: with.collect(), without: args.without.clone() };
    let found = followed.depcheck(&hypothesis, &group, args.repositories.threads())?;
    output::answer(global, &found)?;
    Ok(Answer::of(found.is_harmless()))
}
