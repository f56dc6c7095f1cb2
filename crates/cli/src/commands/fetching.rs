//! Fetches the repositories that lie elsewhere, before anything is asked of them.

use std::path::{Path, PathBuf};

use indicatif::HumanBytes;
use server::dependencies::remote::{self, Progress};
use tokio::runtime::Handle;

use crate::failure::Failure;
use crate::output::Waiting;

/// Where they are kept.
#[derive(clap::Args, Debug)]
pub(crate) struct CacheFolder {
    /// The folder for repositories that are fetched [default: millstream in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long = "cache", env = "MILLSTREAM_CACHE", value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl CacheFolder {
    /// The folders of repositories, those that lie elsewhere fetched.
    pub(crate) fn folders(&self, named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        named.iter().map(|named| self.folder(named)).collect()
    }

    /// The folder of one.
    pub(crate) fn folder(&self, named: &Path) -> Result<PathBuf, Failure> {
        let is_elsewhere = remote::is_elsewhere(named)?;
        // What lies here needs no cache and no patience.
        let cache = if is_elsewhere { self.usual()? } else { PathBuf::new() };
        let waiting = is_elsewhere.then(|| Waiting::show(format!("fetching {}", named.display())));
        let listener = |progress: Progress<'_>| {
            if let Some(waiting) = &waiting {
                waiting.say(said(progress));
            }
        };
        // Questions about repositories are synchronous; this is the one thing in them that waits for others.
        let fetching = remote::fetch(named, &cache, &listener);
        Ok(tokio::task::block_in_place(|| Handle::current().block_on(fetching))?)
    }

    fn usual(&self) -> Result<PathBuf, Failure> {
        self.folder.clone().map_or_else(usual_folder, Ok)
    }
}

/// The folder of the XDG Base Directory Specification, which has relative paths ignored.
#[expect(clippy::disallowed_methods, reason = "where caches are, the environment tells")]
fn usual_folder() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let folder = named.filter(|named| named.is_absolute()).or_else(home);
    let folder = folder.filter(|folder| folder.is_absolute()).ok_or_else(|| {
        Failure::Usage("name a folder for what is fetched with --cache".to_owned())
    })?;
    Ok(folder.join("millstream"))
}

/// `fetching URL: 3.00 MiB of 20.00 MiB`
fn said(progress: Progress<'_>) -> String {
    let Progress { url, bytes, of } = progress;
    let of = of.map(|of| format!(" of {}", HumanBytes(of))).unwrap_or_default();
    format!("fetching {url}: {}{of}", HumanBytes(bytes))
}
