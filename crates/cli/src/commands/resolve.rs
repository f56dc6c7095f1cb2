//! `millstream resolve`: what would be installed from repositories, for a few wishes or for every source there is.

use std::path::PathBuf;

use server::dependencies::batch::Subjects;
use server::dependencies::{Loaded, Wanted};

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// From where.
#[derive(clap::Args, Debug)]
pub(crate) struct Repositories {
    /// A folder with the metadata of a repository; may be given more than once
    #[arg(long = "repo", value_name = "FOLDER", required = true)]
    repositories: Vec<PathBuf>,
    /// A folder with the metadata of source packages; may be given more than once
    #[arg(long = "source-repo", value_name = "FOLDER")]
    sources: Vec<PathBuf>,
    /// The architecture for which packages are installed, as rpm calls it
    #[arg(long, value_name = "NAME", default_value = "x86_64")]
    arch: String,
    /// How many threads work
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    threads: usize,
}

impl Repositories {
    /// Reads them.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        let wanted = Wanted {
            repositories: self.repositories.clone(),
            sources: self.sources.clone(),
            architecture: self.arch.clone(),
            threads: self.threads(),
        };
        Ok(wanted.load()?)
    }

    /// How many threads work, one at least.
    pub(crate) fn threads(&self) -> usize {
        self.threads.max(1)
    }
}

/// What to resolve.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    repositories: Repositories,
    /// A file of package names, one a line, that are installed first
    #[arg(long, value_name = "FILE")]
    build_group: Option<PathBuf>,
    /// Resolve the buildroot of every source
    #[arg(long, group = "subjects")]
    all: bool,
    /// Resolve the buildroots of the sources that this file names, one a line
    #[arg(long, value_name = "FILE", group = "subjects")]
    names: Option<PathBuf>,
    /// Resolve what the binary packages need at run time that this file names, one a line
    #[arg(long, value_name = "FILE", group = "subjects")]
    runtime_names: Option<PathBuf>,
    /// Write a line for each: name, number of packages or -1, and the packages, separated by tabs
    #[arg(long, value_name = "FILE", requires = "subjects")]
    tsv: Option<PathBuf>,
    /// Names, capabilities, paths, each with a version if it matters: 'zlib-devel >= 1.3'
    #[arg(conflicts_with = "subjects", required_unless_present = "subjects")]
    wishes: Vec<String>,
}

/// Resolves it.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let loaded = args.repositories.load()?;
    let group = loaded.group(args.build_group.as_deref())?;
    let Some(subjects) = args.subjects() else {
        let resolution = loaded.resolve(&group, &args.wishes)?;
        output::answer(global, &resolution)?;
        return Ok(Answer::of(resolution.is_possible()));
    };
    let batch = loaded.batch(&group, &subjects, args.repositories.threads())?;
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
