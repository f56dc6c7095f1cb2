//! The published repositories that are asked about, loaded once for each generation. A newer one is loaded behind the one
//! that answers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::artifact::BranchName;

use super::Followed;
use super::wanted::{Metadata, Place as RepositoryPlace, Wanted};
use crate::admin::AdminError;

/// A published repository that is loaded.
#[derive(Debug)]
pub(crate) struct Generation {
    /// The generation's number, as in the name of its folder.
    pub(crate) number: String,
    /// Its packages; a hypothesis is tried by one at a time.
    packages: Mutex<Followed>,
}

impl Generation {
    /// Its packages.
    pub(crate) fn packages(&self) -> MutexGuard<'_, Followed> {
        self.packages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Generations by branch.
#[derive(Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    branches: Arc<Mutex<HashMap<BranchName, Place>>>,
}

/// The newest generation of a branch that is loaded, and the one that is being loaded.
#[derive(Debug, Default)]
struct Place {
    loaded: Option<Arc<Generation>>,
    loading: Option<String>,
}

impl Shelf {
    /// A shelf of the repositories below a folder, one folder for each branch.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, branches: Arc::default() }
    }

    /// The newest generation of a branch, or the one before while the newest is being loaded.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when nothing was published on the branch, [`AdminError::Outside`] when its metadata
    /// cannot be read.
    pub(crate) async fn generation(
        &self,
        branch: &BranchName,
    ) -> Result<Arc<Generation>, AdminError> {
        let folder = self.root.join(branch.as_str());
        let nothing =
            |_| AdminError::NotFound(format!("nothing was published on branch {branch} yet"));
        let target = std::fs::read_link(folder.join("current")).map_err(nothing)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let number = name.strip_prefix("generation-").unwrap_or(&name).to_owned();
        let folder = folder.join(&target);
        let known = places(&self.branches).entry(branch.clone()).or_default().loaded.clone();
        match known {
            Some(known) if known.number == number => Ok(known),
            Some(known) => {
                self.load_behind(branch, folder, number);
                Ok(known)
            }
            None => {
                let loaded = tokio::task::spawn_blocking(move || load(&folder, number));
                let loaded = Arc::new(loaded.await.map_err(AdminError::outside)??);
                let mut places = places(&self.branches);
                places.entry(branch.clone()).or_default().loaded = Some(Arc::clone(&loaded));
                Ok(loaded)
            }
        }
    }

    /// Loads a generation while the one before goes on answering. One that cannot be read is told, and tried again when
    /// somebody asks.
    fn load_behind(&self, branch: &BranchName, folder: PathBuf, number: String) {
        let mut open = places(&self.branches);
        let place = open.entry(branch.clone()).or_default();
        if place.loading.as_ref() == Some(&number) {
            return;
        }
        place.loading = Some(number.clone());
        let (branches, branch) = (Arc::clone(&self.branches), branch.clone());
        tokio::task::spawn_blocking(move || {
            let loaded = load(&folder, number);
            let mut places = places(&branches);
            let place = places.entry(branch).or_default();
            place.loading = None;
            match loaded {
                Ok(loaded) => place.loaded = Some(Arc::new(loaded)),
                Err(error) => tracing::warn!(%error, "could not load a published repository"),
            }
        });
    }
}

fn load(folder: &Path, number: String) -> Result<Generation, AdminError> {
    let metadata = Metadata::of(vec![RepositoryPlace::of(folder)]);
    let packages =
        Mutex::new(Wanted::Metadata(metadata).load().map_err(AdminError::outside)?.follow());
    Ok(Generation { number, packages })
}

fn places(
    branches: &Mutex<HashMap<BranchName, Place>>,
) -> MutexGuard<'_, HashMap<BranchName, Place>> {
    branches.lock().unwrap_or_else(PoisonError::into_inner)
}
