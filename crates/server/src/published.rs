//! What is published on a branch, cached by generation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use model::artifact::{ArtifactKey, BranchName};
use model::id::BuildId;
use pipeline::plan::Published;
use store::{Conn, Store, builds, publications};

/// The published builds of a branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct BranchState {
    /// The generation; 0 before the first.
    pub(crate) generation: i64,
    /// The builds, by artifact.
    pub(crate) builds: BTreeMap<ArtifactKey, BuildId>,
    /// The builds with their commits.
    pub(crate) published: HashMap<ArtifactKey, Published>,
}

/// A cache of [`BranchState`]s.
#[derive(Debug, Default)]
pub(crate) struct PublishedCache(Mutex<HashMap<BranchName, Arc<BranchState>>>);

impl PublishedCache {
    /// What is published on the branch now.
    pub(crate) async fn current(
        &self,
        store: &Store,
        branch: &BranchName,
    ) -> Result<Arc<BranchState>, store::Error> {
        let mut reader = store.read().await?;
        let generation =
            publications::current(&mut reader, branch).await?.map_or(0, |found| found.number);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(branch).cloned();
        if let Some(known) = known.filter(|known| known.generation == generation) {
            return Ok(known);
        }
        let state = Arc::new(read(&mut reader, branch, generation).await?);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(branch.clone(), Arc::clone(&state));
        Ok(state)
    }
}

async fn read(
    reader: &mut Conn,
    branch: &BranchName,
    generation: i64,
) -> Result<BranchState, store::Error> {
    let mut state = BranchState { generation, ..BranchState::default() };
    for published in publications::current_builds(reader, branch).await? {
        if let Some(build) = builds::get(reader, published.build).await? {
            let entry = Published { build: build.id, commit: build.commit };
            state.published.insert(published.artifact.clone(), entry);
            state.builds.insert(published.artifact, published.build);
        }
    }
    Ok(state)
}
