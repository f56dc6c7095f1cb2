//! Artifacts as they are listed, and everything about one.

use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::edge::EdgeKind;
use pipeline::graph::NamedEdge;
use serde::Serialize;
use store::artifacts::{self, Artifact};
use store::decisions::{self, DecisionFilter};
use store::steps::PlacedStep;
use store::{Conn, Page, builds, holds, publications, refs, steps, waivers};

use super::builds::BuildView;
use super::events::EventView;
use super::holds::HoldView;
use super::ledger::{self, DecisionView};
use super::time::Moment;
use super::waivers::WaiverView;
use super::{Admin, AdminError};
use crate::graph::GraphCache;

/// An artifact in a listing.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactView {
    /// Its identity.
    pub artifact: ArtifactKey,
    /// Whether its branch is gone.
    pub retired: bool,
    /// What is published of it: the NVR and the build's public number.
    pub published: Option<(String, i64)>,
    /// Where it stands in the newest plan that has it.
    pub standing: Option<StandingView>,
}

/// Where an artifact stands in a plan.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StandingView {
    /// The public number of the plan.
    pub plan: i64,
    /// The name of the state.
    pub state: &'static str,
    /// Since when.
    pub since: Moment,
}

/// Everything about an artifact.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactDetail {
    /// The artifact as it is listed.
    #[serde(flatten)]
    pub artifact: ArtifactView,
    /// Where its branch points.
    pub tip: Option<(CommitId, Moment)>,
    /// Its steps in the newest plans, the newest first.
    pub steps: Vec<PlannedView>,
    /// Its newest builds.
    pub builds: Vec<BuildView>,
    /// How long its builds usually take, in seconds.
    pub usual_seconds: Option<f64>,
    /// What stops it now.
    pub holds: Vec<HoldView>,
    /// Waivers and sign-offs for it, the newest first.
    pub waivers: Vec<WaiverView>,
    /// The newest events about it.
    pub events: Vec<EventView>,
    /// What was decided about it, the newest first.
    pub ledger: Vec<DecisionView>,
}

/// A step of an artifact in one of the plans.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedView {
    /// Where it stands.
    #[serde(flatten)]
    pub standing: StandingView,
    /// Why, as a sentence.
    pub sentence: String,
}

/// An edge from or to an artifact, without its evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NeighbourView {
    /// The artifact at the other end.
    pub artifact: ArtifactKey,
    /// How one needs the other.
    pub kind: EdgeKind,
    /// The binary package that is needed.
    pub package: String,
}

/// What an artifact needs, and what needs it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Neighbours {
    /// What it needs.
    pub needs: Vec<NeighbourView>,
    /// What needs it.
    pub needed_by: Vec<NeighbourView>,
}

/// Which artifacts are listed, sorted by branch, kind and name.
#[derive(Clone, Debug, Default)]
pub struct ArtifactFilter {
    /// Those on this branch.
    pub branch: Option<BranchName>,
    /// Those after this one.
    pub after: Option<ArtifactKey>,
}

impl Admin {
    /// A part of the list of artifacts.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn artifacts(
        &self,
        filter: &ArtifactFilter,
        limit: u32,
    ) -> Result<Vec<ArtifactView>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let (branch, after) = (filter.branch.as_ref(), filter.after.as_ref());
        let found = artifacts::page(&mut reader, branch, after, limit).await?;
        views(&mut reader, found).await
    }

    /// The branches that artifacts are on.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn artifact_branches(&self) -> Result<Vec<BranchName>, AdminError> {
        Ok(artifacts::branches(&mut *self.store.read().await?).await?)
    }

    /// Everything about an artifact.
    ///
    /// # Errors
    /// [`AdminError::Input`] when nothing is known of it.
    pub async fn artifact(&self, key: &ArtifactKey) -> Result<ArtifactDetail, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let found = artifacts::get(conn, key).await?;
        let view = views(conn, found.into_iter().collect()).await?.into_iter().next();
        let artifact = view.ok_or_else(|| {
            AdminError::Input(format!("nothing is known of {key}: it was never seen in dist-git"))
        })?;
        let now = self.now();
        let newest = Page::first(20);
        let tip = refs::tip(conn, key).await?;
        let planned = steps::of_artifact(conn, key, 10).await?;
        let built = builds::list(conn, Some(key), None, newest).await?;
        let usual = builds::median_durations(conn, std::slice::from_ref(key)).await?;
        let held = holds::list(conn, Some(key), Some(now), newest).await?;
        let waived = waivers::list(conn, Some(key), None, newest).await?;
        let events =
            store::events::EventFilter { artifact: Some(key.clone()), ..Default::default() };
        let events = store::events::list(conn, &events, Page::first(10)).await?;
        let filter = DecisionFilter { artifact: Some(key.clone()), ..DecisionFilter::default() };
        let lines = decisions::list(conn, &filter, newest).await?;
        Ok(ArtifactDetail {
            artifact,
            tip: tip.and_then(|tip| Some((tip.commit?, Moment(tip.at)))),
            steps: planned.iter().map(PlannedView::from).collect(),
            builds: built.iter().map(BuildView::from).collect(),
            usual_seconds: usual.get(key).map(Duration::as_secs_f64),
            holds: held.into_iter().map(|found| super::holds::view(found, now)).collect(),
            waivers: waived
                .into_iter()
                .map(|found| super::waivers::view(found.number, found.waiver, now))
                .collect(),
            events: events.into_iter().map(EventView::from).collect(),
            ledger: ledger::views(conn, lines).await?,
        })
    }

    /// What an artifact needs, and what needs it.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub(crate) async fn neighbours(
        &self,
        graph: &tokio::sync::Mutex<GraphCache>,
        key: &ArtifactKey,
    ) -> Result<Neighbours, AdminError> {
        let mut cache = graph.lock().await;
        let graph = cache.current(&self.store).await?;
        let Some(node) = graph.node(key) else { return Ok(Neighbours::default()) };
        let view = |artifact: &ArtifactKey, edge: &NamedEdge<'_>| NeighbourView {
            artifact: artifact.clone(),
            kind: edge.kind,
            package: edge.package.to_owned(),
        };
        let needs = graph.dependencies(node).map(|edge| graph.name(edge));
        let needed_by = graph.dependents(node).map(|edge| graph.name(edge));
        Ok(Neighbours {
            needs: needs.map(|edge| view(edge.dependency, &edge)).collect(),
            needed_by: needed_by.map(|edge| view(edge.dependent, &edge)).collect(),
        })
    }
}

impl From<&PlacedStep> for PlannedView {
    fn from(placed: &PlacedStep) -> Self {
        let standing = StandingView {
            plan: placed.plan_number,
            state: placed.step.state.name(),
            since: Moment(placed.step.since),
        };
        Self { standing, sentence: placed.step.reason.to_string() }
    }
}

/// Artifacts as they are listed.
pub(crate) async fn views(
    conn: &mut Conn,
    found: Vec<Artifact>,
) -> Result<Vec<ArtifactView>, AdminError> {
    let ids: Vec<i64> = found.iter().map(|artifact| artifact.id).collect();
    let mut published = publications::named(conn, &ids).await?;
    let standing = steps::newest_of(conn, &ids).await?;
    let view = |artifact: Artifact| ArtifactView {
        published: published.remove(&artifact.id).map(|(number, nvr)| (nvr, number)),
        standing: standing.get(&artifact.id).map(|stand| StandingView {
            plan: stand.plan_number,
            state: stand.state,
            since: Moment(stand.since),
        }),
        artifact: artifact.key,
        retired: artifact.retired,
    };
    Ok(found.into_iter().map(view).collect())
}
