//! What a few letters may mean: an artifact, a build, a plan, an event.

use serde::Serialize;
use store::{artifacts, builds, events, plans};

use super::artifacts::{ArtifactView, views};
use super::builds::BuildView;
use super::{Admin, AdminError};

/// How many artifacts are found at most.
const LIMIT: u32 = 50;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// A plan of this number.
    pub plan: Option<i64>,
    /// An event of this number.
    pub event: Option<i64>,
    /// A build of this number or this NVR.
    pub build: Option<BuildView>,
    /// Artifacts of this name, or with it in their names; the nearest first.
    pub artifacts: Vec<ArtifactView>,
}

impl Found {
    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.plan.is_none()
            && self.event.is_none()
            && self.build.is_none()
            && self.artifacts.is_empty()
    }
}

impl Admin {
    /// Looks for a name, an NVR, a number, or an artifact's identity.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn search(&self, text: &str) -> Result<Found, AdminError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Found::default());
        }
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let mut found = Found::default();
        let number = text.trim_start_matches('#').parse::<i64>().ok();
        if let Some(number) = number {
            found.plan = plans::by_number(conn, number).await?.map(|plan| plan.number);
            found.event = events::by_number(conn, number).await?.map(|event| event.number);
        }
        let build = match number {
            Some(number) => builds::by_number(conn, number).await?,
            None => builds::by_nvr(conn, text).await?,
        };
        found.build = build.as_ref().map(BuildView::from);
        // `rpms/zlib#f44` and `rpms/zlib` name zlib.
        let name = text.split_once('/').map_or(text, |(_, rest)| rest);
        let (name, branch) = name.split_once('#').unwrap_or((name, ""));
        let mut artifacts = artifacts::search(conn, name, LIMIT).await?;
        if !branch.is_empty() {
            artifacts.retain(|artifact| artifact.key.branch.as_str() == branch);
        }
        found.artifacts = views(conn, artifacts).await?;
        Ok(found)
    }
}
