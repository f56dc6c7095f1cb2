//! What is published on a branch, cached by generation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::repository;
use model::artifact::{ArtifactKey, ArtifactKind, BranchName};
use model::id::BuildId;
use pipeline::plan::Published;
use store::{Conn, Store, builds, publications};

use crate::context::Context;
use crate::dependencies::Loaded;

/// The published builds of a branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct BranchState {
    /// The generation; 0 before the first.
    pub(crate) generation: i64,
    /// The builds, by artifact.
    pub(crate) builds: BTreeMap<ArtifactKey, BuildId>,
    /// The builds with their commits.
    pub(crate) published: HashMap<ArtifactKey, Published>,
    /// Which artifact a source package is of, by the source package's name.
    pub(crate) sources: HashMap<String, ArtifactKey>,
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

/// The published repository of a branch, ready to be asked; none where nothing is published, or where it does not lie
/// here as it should.
pub(crate) async fn repository(
    context: &Context,
    branch: &BranchName,
    state: &BranchState,
) -> Option<Arc<Loaded>> {
    let root = context.config.published_root();
    let folder = repository::generation_folder(&root, branch, state.generation);
    if !folder.is_dir() {
        return None;
    }
    let ready = context.ready.repository(&folder).await;
    ready.inspect_err(|error| tracing::warn!(%branch, %error, "could not ask the repository")).ok()
}

async fn read(
    reader: &mut Conn,
    branch: &BranchName,
    generation: i64,
) -> Result<BranchState, store::Error> {
    let mut state = BranchState { generation, ..BranchState::default() };
    for published in publications::current_builds(reader, branch).await? {
        if let Some(build) = builds::get(reader, published.build).await? {
            if published.artifact.kind == ArtifactKind::Rpms {
                state.sources.insert(build.nvr.name, published.artifact.clone());
            }
            let entry = Published { build: build.id, commit: build.commit };
            state.published.insert(published.artifact.clone(), entry);
            state.builds.insert(published.artifact, published.build);
        }
    }
    Ok(state)
}
