//! `millstream resolve`: what would be installed from repositories, for a few wishes or for every source there is.

use std::path::PathBuf;

use server::dependencies::batch::Subjects;

use super::asking::Asking;
use super::repositories::Repositories;
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to resolve.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    asking: Asking,
    /// Resolve the buildroot of every source
    #[arg(long, group = "subjects", conflicts_with = "source")]
    all: bool,
    /// Resolve the buildroots of the sources that this file names, one a line
    #[arg(long, value_name = "FILE", group = "subjects", conflicts_with = "source")]
    names: Option<PathBuf>,
    /// Resolve what the binary packages need at run time that this file names, one a line
    #[arg(long, value_name = "FILE", group = "subjects", conflicts_with = "source")]
    runtime_names: Option<PathBuf>,
    /// Write a line for each: name, number of packages or -1, and the packages, separated by tabs
    #[arg(long, value_name = "FILE", requires = "subjects")]
    tsv: Option<PathBuf>,
    /// Names, capabilities, paths, each with a version if it matters: 'zlib-devel >= 1.3'; NEVRAs; rich dependencies:
    /// '(zlib or zlib-ng)'
    #[arg(conflicts_with = "subjects", required_unless_present_any = ["subjects", "source"])]
    wishes: Vec<String>,
}

/// Resolves it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let asked = args.asking.asked(&args.wishes)?;
    let Some(subjects) = args.subjects() else {
        let loaded = args.repositories.load()?;
        let resolution = loaded.resolve(&asked)?;
        output::answer(global, &resolution)?;
        return Ok(Answer::of(resolution.is_possible()));
    };
    let loaded = args.repositories.load_whole()?;
    let batch = loaded.batch(&asked, &subjects, args.repositories.threads())?;
    if let Some(file) = &args.tsv {
        std::fs::write(file, loaded.tsv(&batch)).map_err(|error| {
            Failure::Usage(format!("could not write {}: {error}", file.display()))
        })?;
    }
    output::answer(global, &batch)?;
    Ok(Answer::Yes)
}

impl Args {
    fn subjects(&self) -> Option<Subjects> {
        let sources = || self.names.clone().map(Subjects::Sources);
        let packages = || self.runtime_names.clone().map(Subjects::Packages);
        self.all.then_some(Subjects::AllSources).or_else(sources).or_else(packages)
    }
}
