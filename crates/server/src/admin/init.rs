//! `millstream init`: the dist-git folder, and the hook that wakes the server after a push.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use adapters::distgit::{self, HookState, RepositoryName};
use model::artifact::{ArtifactKind, ArtifactName};
use serde::Serialize;

use super::{Admin, AdminError};
use crate::config::Config;
use crate::context::StartError;

/// Lays out the dist-git folder; what is there stays.
pub(crate) fn dist_git(config: &Config) -> Result<(), StartError> {
    distgit::init(&config.distgit_root()).map_err(|error| StartError::Outside(error.to_string()))
}

/// What was laid out.
#[derive(Clone, Debug, Serialize)]
pub struct Layout {
    /// The database.
    pub database: String,
    /// The dist-git folder.
    pub distgit: PathBuf,
    /// What became of the hook of each repository.
    pub repositories: BTreeMap<String, Hook>,
}

/// What became of the hook of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// It was written.
    Installed,
    /// It was there as it should be.
    Unchanged,
    /// Somebody else's hook was left alone; pushes are found by polling.
    Foreign,
}

impl From<HookState> for Hook {
    fn from(state: HookState) -> Self {
        match state {
            HookState::Installed => Self::Installed,
            HookState::Unchanged => Self::Unchanged,
            HookState::Foreign => Self::Foreign,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "hook installed",
            Self::Unchanged => "hook is there",
            Self::Foreign => {
                "another post-receive hook was left alone: pushes are found by polling"
            }
        })
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "database  {}", self.database)?;
        writeln!(f, "dist-git  {}", self.distgit.display())?;
        if self.repositories.is_empty() {
            writeln!(
                f,
                "next: `millstream init --repository rpms/NAME` makes a repository to push to"
            )?;
        }
        self.repositories.iter().try_for_each(|(name, hook)| writeln!(f, "  {name}: {hook}"))
    }
}

impl Admin {
    /// Makes the dist-git folder and one repository in it if asked, and sees to the hooks of all that are there, or of
    /// that one.
    ///
    /// # Errors
    /// [`AdminError`] names the repository.
    pub async fn lay_out(&self, repository: Option<&str>) -> Result<Layout, AdminError> {
        let root = self.config.distgit_root();
        dist_git(&self.config)?;
        let names = match repository {
            Some(name) => {
                let name: RepositoryName = name.parse().map_err(AdminError::input)?;
                distgit::create_repository(&root, &name).await.map_err(AdminError::outside)?;
                vec![name]
            }
            None => repositories(&root)?,
        };
        let wake = distgit::wake_command(&root);
        let mut hooks = BTreeMap::new();
        for name in names {
            let state =
                distgit::install_hook(&name.path(&root), &wake).map_err(AdminError::outside)?;
            hooks.insert(name.to_string(), Hook::from(state));
        }
        Ok(Layout { database: shown(&self.config.db_url()), distgit: root, repositories: hooks })
    }
}

/// The bare repositories of a dist-git.
fn repositories(root: &Path) -> Result<Vec<RepositoryName>, AdminError> {
    let mut names = Vec::new();
    for kind in ArtifactKind::ALL {
        let folder = root.join(kind.as_str());
        let unreadable =
            |error| AdminError::Outside(format!("could not read {}: {error}", folder.display()));
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            let name = file.strip_suffix(".git").and_then(|name| name.parse::<ArtifactName>().ok());
            names.extend(name.map(|name| RepositoryName { kind, name }));
        }
    }
    names.sort();
    Ok(names)
}

/// A database's address without what is secret about it.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
