//! The options that say which repositories are asked.

use std::path::PathBuf;

use server::dependencies::Loaded;
use server::dependencies::wanted::{Metadata, ModuleStream, Modules, Place, Wanted};

use super::fetching::CacheFolder;
use crate::failure::Failure;

/// From where: repositories, or a snapshot of them.
#[derive(clap::Args, Debug)]
pub(crate) struct Repositories {
    #[command(flatten)]
    listed: Listed,
    /// A snapshot that `repo load` wrote, in the place of repositories
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["repositories", "sources", "arch", "streams", "no_modules"])]
    snapshot: Option<PathBuf>,
    /// How many threads work
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    threads: usize,
}

/// Repositories with their metadata.
#[derive(clap::Args, Debug)]
pub(crate) struct Listed {
    /// A folder with the metadata of a repository, or the http or https address it is fetched from; with priority and
    /// cost, where the lower one wins, as in dnf (99 and 1000 if left out). May be given more than once
    #[arg(long = "repo", value_name = "FOLDER|URL[,priority=N][,cost=N]")]
    repositories: Vec<Place>,
    /// The same with the metadata of source packages; may be given more than once
    #[arg(long = "source-repo", value_name = "FOLDER|URL")]
    sources: Vec<PathBuf>,
    /// The architecture for which packages are installed, as rpm calls it
    #[arg(long, value_name = "NAME", default_value = "x86_64")]
    arch: String,
    /// Enable this stream of a module in the place of its default; may be given more than once
    #[arg(long = "module", value_name = "NAME:STREAM")]
    streams: Vec<ModuleStream>,
    /// Let modules hide nothing
    #[arg(long, conflicts_with = "streams")]
    no_modules: bool,
    #[command(flatten)]
    cache: CacheFolder,
}

impl Repositories {
    /// Reads them.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        self.load_with(self.listed.modules())
    }

    /// Reads them with everything in them, as who compares wants it: modules hide something only where a stream is named.
    pub(crate) fn load_whole(&self) -> Result<Loaded, Failure> {
        let is_named = !self.listed.streams.is_empty();
        self.load_with(if is_named { self.listed.modules() } else { Modules::Off })
    }

    fn load_with(&self, modules: Modules) -> Result<Loaded, Failure> {
        match &self.snapshot {
            Some(file) => Ok(Wanted::Snapshot(file.clone()).load()?),
            None if self.listed.repositories.is_empty() => Err(Failure::Usage(
                "name what is asked: --repo FOLDER, or --snapshot FILE".to_owned(),
            )),
            None => self.listed.load_with(self.threads(), modules),
        }
    }

    /// Whether any are named.
    pub(crate) fn are_named(&self) -> bool {
        self.snapshot.is_some() || !self.listed.repositories.is_empty()
    }

    /// Where those are kept that lie elsewhere.
    pub(crate) fn cache(&self) -> &CacheFolder {
        &self.listed.cache
    }

    /// How many threads work, one at least.
    pub(crate) fn threads(&self) -> usize {
        self.threads.max(1)
    }
}

impl Listed {
    /// Reads them.
    pub(crate) fn load(&self, threads: usize) -> Result<Loaded, Failure> {
        self.load_with(threads, self.modules())
    }

    fn modules(&self) -> Modules {
        match self.no_modules {
            true => Modules::Off,
            false => Modules::Filter(self.streams.clone()),
        }
    }

    fn load_with(&self, threads: usize, modules: Modules) -> Result<Loaded, Failure> {
        let fetched = |place: &Place| {
            Ok(Place { folder: self.cache.folder(&place.folder)?, ..place.clone() })
        };
        let repositories = self.repositories.iter().map(fetched);
        let metadata = Metadata {
            repositories: repositories.collect::<Result<_, Failure>>()?,
            sources: self.cache.folders(&self.sources)?,
            architecture: self.arch.clone(),
            threads,
            modules,
        };
        Ok(Wanted::Metadata(metadata).load()?)
    }
}
