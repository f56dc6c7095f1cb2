//! The artifacts there are, as they are searched for and shown.

use std::collections::HashMap;

use model::artifact::{ArtifactKey, CommitId};
use model::id::BuildId;
use serde::Serialize;
use store::artifacts::{self, ArtifactFilter};
use store::publications::{self, Standing};
use store::refs::{self, Tip};
use store::{Conn, Page, builds, edges, holds, steps};
use utoipa::ToSchema;

use super::builds::BuildView;
use super::holds::{self as stopping, HoldView};
use super::steps::StepView;
use super::time::Moment;
use super::why::EdgeView;
use super::{Admin, AdminError};

/// How many builds and steps are shown with an artifact.
const NEWEST: u32 = 10;

/// An artifact in a listing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArtifactEntry {
    /// Its identity.
    pub artifact: ArtifactKey,
    /// Where its branch points; nothing if it was never seen or is gone.
    pub commit: Option<CommitId>,
    /// Since when it points there.
    pub moved: Option<Moment>,
    /// Whether its branch is gone.
    pub retired: bool,
    /// What is published of it.
    pub published: Option<PublishedView>,
}

/// The published build of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublishedView {
    /// Its NVR.
    pub nvr: String,
    /// The generation of the branch's repository that brought it.
    pub generation: i64,
}

/// An artifact with what happens to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArtifactRecord {
    /// The artifact.
    #[serde(flatten)]
    pub artifact: ArtifactEntry,
    /// Its newest builds.
    pub builds: Vec<BuildView>,
    /// Its steps in the newest plans.
    pub steps: Vec<StepView>,
    /// What stops it now.
    pub holds: Vec<HoldView>,
    /// What it needs.
    pub needs: Vec<Need>,
}

/// Something an artifact needs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Need {
    /// The edge.
    #[serde(flatten)]
    pub edge: EdgeView,
    /// Whether only its source says so, and no build has reported it yet.
    pub provisional: bool,
}

impl Admin {
    /// The artifacts of a search after one of them, sorted by name, kind and branch.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn catalogue(
        &self,
        wanted: &ArtifactFilter,
        after: Option<&ArtifactKey>,
        limit: u32,
    ) -> Result<Vec<ArtifactEntry>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let found = artifacts::matching(&mut reader, wanted, after, limit).await?;
        views(&mut reader, found).await
    }

    /// An artifact with what happens to it.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when nothing is known of it.
    pub async fn artifact_record(&self, key: &ArtifactKey) -> Result<ArtifactRecord, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let found = known(conn, key).await?;
        let view = views(conn, vec![found]).await?.into_iter().next();
        let newest = builds::list(conn, Some(key), None, Page::first(NEWEST)).await?;
        let newest_steps = steps::of_artifact(conn, key, NEWEST).await?;
        let now = self.now();
        let in_force = holds::list(conn, Some(key), Some(now), Page::default()).await?;
        let mut needs: Vec<Need> = edges::for_dependents(conn, std::slice::from_ref(key))
            .await?
            .into_iter()
            .map(|stored| Need {
                edge: EdgeView::from(&stored.edge),
                provisional: stored.provisional,
            })
            .collect();
        // One package may be required for several of its capabilities.
        needs.dedup_by(|a, b| a.edge == b.edge && a.provisional == b.provisional);
        Ok(ArtifactRecord {
            artifact: view.ok_or_else(|| unknown(key))?,
            builds: newest.iter().map(BuildView::from).collect(),
            steps: newest_steps.into_iter().map(StepView::from).collect(),
            holds: in_force.into_iter().map(|hold| stopping::view(hold, now)).collect(),
            needs,
        })
    }

    /// Refuses an artifact of which nothing is known.
    ///
    /// # Errors
    /// [`AdminError::NotFound`].
    pub async fn is_known(&self, key: &ArtifactKey) -> Result<(), AdminError> {
        known(&mut *self.store.read().await?, key).await.map(drop)
    }
}

async fn known(conn: &mut Conn, key: &ArtifactKey) -> Result<artifacts::Artifact, AdminError> {
    artifacts::get(conn, key).await?.ok_or_else(|| unknown(key))
}

fn unknown(key: &ArtifactKey) -> AdminError {
    AdminError::NotFound(format!("nothing is known of {key}"))
}

/// Artifacts with where their branches point and what is published of them, in a few queries for all.
async fn views(
    conn: &mut Conn,
    found: Vec<artifacts::Artifact>,
) -> Result<Vec<ArtifactEntry>, AdminError> {
    let keys: Vec<ArtifactKey> = found.iter().map(|artifact| artifact.key.clone()).collect();
    let mut tips: HashMap<ArtifactKey, Tip> = refs::tips_of(conn, &keys)
        .await?
        .into_iter()
        .map(|tip| (tip.artifact.clone(), tip))
        .collect();
    let standing = publications::standing(conn, &keys).await?;
    let ids: Vec<BuildId> = standing.iter().map(|standing| standing.published.build).collect();
    let nvrs: HashMap<BuildId, String> = builds::get_many(conn, &ids)
        .await?
        .into_iter()
        .map(|build| (build.id, build.nvr.to_string()))
        .collect();
    let published = |Standing { published, generation }: Standing| {
        let nvr = nvrs.get(&published.build).cloned().unwrap_or_default();
        (published.artifact, PublishedView { nvr, generation })
    };
    let mut published: HashMap<ArtifactKey, PublishedView> =
        standing.into_iter().map(published).collect();
    let view = |artifact: artifacts::Artifact| {
        let tip = tips.remove(&artifact.key);
        ArtifactEntry {
            published: published.remove(&artifact.key),
            artifact: artifact.key,
            moved: tip.as_ref().map(|tip| Moment(tip.at)),
            commit: tip.and_then(|tip| tip.commit),
            retired: artifact.retired,
        }
    };
    Ok(found.into_iter().map(view).collect())
}
