//! "I have this installed: is a fresh build under way, complete, published, or on its way?"

use std::collections::BTreeMap;
use std::fmt;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::build::Build;
use model::id::BuildId;
use model::plan::NumberedPlan;
use model::rule::PlanKind;
use model::step::{Step, StepState};
use model::version::{Evr, Nevra, Nvr};
use pipeline::plan::remaining::remaining;
use serde::Serialize;
use store::artifacts::{self, ArtifactFilter};
use store::packages::{self, Carried, Carrier};
use store::publications::Standing;
use store::steps::StepFilter;
use store::{Conn, Page, builds, plans, publications, refs, steps};
use utoipa::ToSchema;

use super::catalogue::PublishedView;
use super::time::Moment;
use super::{Admin, AdminError};

/// How many artifacts one name may stand for.
const AT_MOST: u32 = 100;
/// How many plans an artifact may be under way in: one that is real or proposed, and dry runs.
const OPEN_PLANS: u32 = 10;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// An artifact, or a package by its name, its NVR or its NEVRA.
    pub name: String,
    /// The version somebody has; that of the name if it holds one.
    pub installed: Option<Evr>,
    /// On this branch only.
    pub branch: Option<BranchName>,
}

/// Where something is on its way, branch by branch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Whereabouts {
    /// What was asked about.
    pub name: String,
    /// The version somebody has.
    pub installed: Option<Evr>,
    /// Where its artifact is on each branch; a package may have been built from several.
    pub artifacts: Vec<Whereabout>,
}

/// How the newest of an artifact stands, seen from somebody who may have an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// What is installed is the newest there is, and nothing newer is under way.
    Current,
    /// A newer one is published, or, if nobody said what is installed, one is.
    Published,
    /// A fresh build passed its gate and waits to be published.
    Complete,
    /// A fresh build is being made or tested.
    UnderWay,
    /// A fresh build is to be made, or its commit is not answered yet.
    OnItsWay,
    /// Whether there will be one depends on what its dependencies change.
    Undecided,
    /// A fresh build failed, or its gate refuses it: a person has to do something.
    Stuck,
    /// There has never been a build of it.
    NeverBuilt,
}

/// Where one artifact is on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Whereabout {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// How it stands.
    pub freshness: Freshness,
    /// How it stands, as a sentence.
    pub sentence: String,
    /// The newest commit on its branch; none if the branch was never seen or is gone.
    pub commit: Option<CommitId>,
    /// Since when the branch points there.
    pub moved: Option<Moment>,
    /// What is published of it.
    pub published: Option<PublishedView>,
    /// When that was published.
    pub published_at: Option<Moment>,
    /// The NVR of its newest build that succeeded.
    pub built: Option<String>,
    /// What a plan does with it now.
    pub under_way: Option<UnderWay>,
    /// The images and composes that carry it, with the version each carries.
    pub carriers: Vec<CarrierView>,
}

/// What a plan does with an artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnderWay {
    /// The public number of the plan.
    pub plan: i64,
    /// The name of the state of its step.
    pub state: &'static str,
    /// Since when.
    pub since: Moment,
    /// The build, once there is one.
    pub nvr: Option<String>,
    /// When it will be built, as far as history tells; none while a person has to act.
    pub predicted_end: Option<Moment>,
}

/// An image or a compose that carries a package.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CarrierView {
    /// The image or the compose.
    pub artifact: ArtifactKey,
    /// The NVR of its published build or, before the first publication, of its newest one.
    pub nvr: String,
    /// The version of the package it carries.
    pub evr: Evr,
    /// The architecture of the package.
    pub arch: String,
    /// Whether the carrier is published.
    pub published: bool,
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for whereabout in &self.artifacts {
            writeln!(f, "{}: {}", whereabout.artifact, whereabout.sentence)?;
            if let Some(under_way) = &whereabout.under_way {
                let UnderWay { plan, state, since, .. } = under_way;
                let end = under_way
                    .predicted_end
                    .map(|end| format!(", expected to be built by {end}"))
                    .unwrap_or_default();
                writeln!(f, "  plan {plan}: {state} since {since}{end}")?;
            }
            for CarrierView { artifact, nvr, evr, arch, published } in &whereabout.carriers {
                let note = if *published { "" } else { ", not published" };
                writeln!(f, "  {artifact} carries {evr}.{arch} ({nvr}{note})")?;
            }
        }
        Ok(())
    }
}

impl Whereabouts {
    /// Whether somebody has the newest of all there is.
    pub fn is_current(&self) -> bool {
        self.artifacts.iter().all(|found| found.freshness == Freshness::Current)
    }
}

/// Everything that is known of one artifact.
struct Facts {
    tip: Option<refs::Tip>,
    published: Option<(Build, i64)>,
    published_at: Option<Moment>,
    newest: Option<Build>,
    under_way: Option<(NumberedPlan, Step)>,
}

impl Facts {
    fn is_proposed(&self) -> bool {
        let kind = self.under_way.as_ref().map(|(found, _)| found.plan.mode.kind());
        kind == Some(PlanKind::Proposed)
    }
}

impl Admin {
    /// Where something is on its way.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when no artifact or package of that name is known.
    pub async fn whereabouts(&self, question: &Question) -> Result<Whereabouts, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let (keys, package, version) = meant(conn, question).await?;
        let installed = question.installed.clone().or(version);
        let carriers = carriers(conn, &package, &keys).await?;
        let mut artifacts = Vec::with_capacity(keys.len());
        for key in keys {
            let facts = facts(conn, &key).await?;
            let own: Vec<&Carrier> =
                carriers.iter().filter(|carrier| carrier.artifact.branch == key.branch).collect();
            let own = carrier_views(conn, own).await?;
            artifacts.push(self.whereabout(conn, (key, facts), installed.as_ref(), own).await?);
        }
        Ok(Whereabouts { name: question.name.clone(), installed, artifacts })
    }

    async fn whereabout(
        &self,
        conn: &mut Conn,
        (artifact, facts): (ArtifactKey, Facts),
        installed: Option<&Evr>,
        carriers: Vec<CarrierView>,
    ) -> Result<Whereabout, AdminError> {
        let freshness = freshness(&facts, installed);
        let sentence = sentence(&facts, freshness);
        let under_way = match &facts.under_way {
            Some((plan, step)) => Some(self.under_way(conn, plan, step).await?),
            None => None,
        };
        let published = facts.published.as_ref().map(|(build, generation)| PublishedView {
            nvr: build.nvr.to_string(),
            generation: *generation,
        });
        Ok(Whereabout {
            freshness,
            sentence,
            moved: facts.tip.as_ref().map(|tip| Moment(tip.at)),
            commit: facts.tip.and_then(|tip| tip.commit),
            published,
            published_at: facts.published_at,
            built: facts.newest.map(|build| build.nvr.to_string()),
            under_way,
            carriers,
            artifact,
        })
    }

    async fn under_way(
        &self,
        conn: &mut Conn,
        found: &NumberedPlan,
        step: &Step,
    ) -> Result<UnderWay, AdminError> {
        let steps = steps::of_plan(conn, found.plan.id).await?;
        let build: Option<BuildId> = step.newest_output().or(step.state.build());
        let nvr = match build {
            Some(id) => builds::get(conn, id).await?.map(|build| build.nvr.to_string()),
            None => None,
        };
        let now = self.now();
        let capacity = self.config.build.capacity;
        let left = remaining(&found.plan, &steps, Some(step.index), (now, capacity));
        let is_ahead = matches!(
            step.state,
            StepState::Waiting | StepState::Rebuild | StepState::Building { .. }
        );
        Ok(UnderWay {
            plan: found.number,
            state: step.state.name(),
            since: Moment(step.since),
            nvr,
            predicted_end: left.filter(|_| is_ahead).map(|left| Moment(now + left)),
        })
    }
}

/// What a name stands for: artifacts, the package whose carriers are looked for, and the version it holds.
async fn meant(
    conn: &mut Conn,
    question: &Question,
) -> Result<(Vec<ArtifactKey>, String, Option<Evr>), AdminError> {
    let wanted =
        |key: &ArtifactKey| question.branch.as_ref().is_none_or(|branch| *branch == key.branch);
    for (name, version) in readings(&question.name) {
        let mut keys = named(conn, &name).await?;
        keys.retain(wanted);
        if !keys.is_empty() {
            let package = name.rsplit('/').next().unwrap_or(&name);
            let package = package.split('#').next().unwrap_or(package).to_owned();
            return Ok((keys, package, version));
        }
    }
    let branch = question.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    Err(AdminError::NotFound(format!(
        "no artifact{branch} is called {0}, and no package {0} was ever built here",
        question.name
    )))
}

/// The ways to read a name, the likeliest first: as it is, as a NEVRA, as an NVR.
fn readings(name: &str) -> Vec<(String, Option<Evr>)> {
    let mut readings = vec![(name.to_owned(), None)];
    let file = name.strip_suffix(".rpm").unwrap_or(name);
    if let Ok(nevra) = file.parse::<Nevra>() {
        readings.push((nevra.name, Some(nevra.evr)));
    }
    if let Ok(nvr) = file.parse::<Nvr>() {
        readings.push((nvr.name, Some(nvr.evr)));
    }
    readings
}

/// The artifacts of a name: `rpms/zlib#f44`, `rpms/zlib`, `zlib`, or those that a package was built from.
async fn named(conn: &mut Conn, name: &str) -> Result<Vec<ArtifactKey>, AdminError> {
    if let Ok(key) = name.parse::<ArtifactKey>() {
        let found = artifacts::get(conn, &key).await?;
        return Ok(found.into_iter().map(|artifact| artifact.key).collect());
    }
    let (kind, own) = match name.split_once('/') {
        Some((kind, own)) => (kind.parse().ok(), own),
        None => (None, name),
    };
    let filter = ArtifactFilter { kind, name: Some(own.to_owned()), ..ArtifactFilter::default() };
    let found = artifacts::matching(conn, &filter, None, AT_MOST).await?;
    if !found.is_empty() {
        return Ok(found.into_iter().map(|artifact| artifact.key).collect());
    }
    Ok(packages::makers(conn, name).await?)
}

async fn carriers(
    conn: &mut Conn,
    name: &str,
    keys: &[ArtifactKey],
) -> Result<Vec<Carrier>, AdminError> {
    use model::artifact::ArtifactKind as Kind;
    let mut found = Vec::new();
    if keys.iter().any(|key| key.kind == Kind::Rpms) {
        found.extend(packages::carriers(conn, Carried::Package, name).await?);
    }
    if keys.iter().any(|key| key.kind == Kind::Containers) {
        found.extend(packages::carriers(conn, Carried::Image, name).await?);
    }
    Ok(found)
}

/// Those carriers that are the current builds of their artifacts.
async fn carrier_views(
    conn: &mut Conn,
    carriers: Vec<&Carrier>,
) -> Result<Vec<CarrierView>, AdminError> {
    let mut keys: Vec<ArtifactKey> =
        carriers.iter().map(|carrier| carrier.artifact.clone()).collect();
    keys.dedup();
    let current = current(conn, &keys).await?;
    let view = |carrier: &Carrier| {
        let (build, generation) = current.get(&carrier.artifact)?;
        (build.number == carrier.build).then(|| CarrierView {
            artifact: carrier.artifact.clone(),
            nvr: build.nvr.to_string(),
            evr: carrier.evr.clone(),
            arch: carrier.arch.clone(),
            published: generation.is_some(),
        })
    };
    Ok(carriers.into_iter().filter_map(view).collect())
}

/// The published build of each artifact, with its generation, or else its newest one.
async fn current(
    conn: &mut Conn,
    keys: &[ArtifactKey],
) -> Result<BTreeMap<ArtifactKey, (Build, Option<i64>)>, AdminError> {
    let standing = publications::standing(conn, keys).await?;
    let generations: BTreeMap<BuildId, i64> = standing
        .iter()
        .map(|Standing { published, generation }| (published.build, *generation))
        .collect();
    let ids: Vec<BuildId> = generations.keys().copied().collect();
    let mut found = builds::get_many(conn, &ids).await?;
    let published: Vec<&ArtifactKey> =
        standing.iter().map(|standing| &standing.published.artifact).collect();
    let others: Vec<ArtifactKey> =
        keys.iter().filter(|key| !published.contains(key)).cloned().collect();
    found.extend(builds::newest_succeeded(conn, &others).await?);
    let with_generation = |build: Build| {
        let generation = generations.get(&build.id).copied();
        (build.artifact.clone(), (build, generation))
    };
    Ok(found.into_iter().map(with_generation).collect())
}

async fn facts(conn: &mut Conn, key: &ArtifactKey) -> Result<Facts, AdminError> {
    let standing = publications::standing(conn, std::slice::from_ref(key)).await?;
    let (mut published, mut published_at) = (None, None);
    if let Some(standing) = standing.into_iter().next() {
        let build = builds::get(conn, standing.published.build).await?;
        published = build.map(|build| (build, standing.generation));
        let switched = publications::switched(conn, &key.branch, standing.generation).await?;
        published_at = switched.map(Moment);
    }
    let newest = builds::list(conn, Some(key), Some("succeeded"), Page::first(1)).await?;
    let filter =
        StepFilter { artifact: Some(key.clone()), unsettled: true, ..StepFilter::default() };
    let mut under_way = None;
    for placed in steps::list(conn, &filter, None, OPEN_PLANS).await? {
        let found = plans::get(conn, placed.step.plan).await?;
        // A dry run makes nothing.
        let found = found.filter(|found| found.plan.mode.kind() != PlanKind::DryRun);
        under_way = under_way.or(found.map(|plan| (plan, placed.step)));
    }
    Ok(Facts {
        tip: refs::tip(conn, key).await?,
        published,
        published_at,
        newest: newest.into_iter().next(),
        under_way,
    })
}

fn freshness(facts: &Facts, installed: Option<&Evr>) -> Freshness {
    let step = facts.under_way.as_ref().map(|(_, step)| &step.state);
    match step {
        // Whether it begins is for a person to say.
        Some(_) if facts.is_proposed() => return Freshness::Undecided,
        Some(StepState::Failed { .. } | StepState::Held { .. }) => return Freshness::Stuck,
        Some(StepState::Building { .. } | StepState::Built { .. }) => return Freshness::UnderWay,
        Some(StepState::Passed { .. }) => return Freshness::Complete,
        Some(StepState::Rebuild) => return Freshness::OnItsWay,
        Some(StepState::Waiting) => return Freshness::Undecided,
        // A retest makes nothing fresh.
        _ => {}
    }
    let built_commit = facts.newest.as_ref().map(|build| &build.commit);
    let tip = facts.tip.as_ref().and_then(|tip| tip.commit.as_ref());
    match &facts.published {
        // The published build may be one of an older commit, after a branch was moved back: the tip is what counts.
        _ if tip.is_some() && facts.newest.is_some() && built_commit != tip => Freshness::OnItsWay,
        Some((build, _)) => match installed {
            Some(evr) if build.nvr.evr.compare_loosely(evr).is_le() => Freshness::Current,
            _ => Freshness::Published,
        },
        None if facts.newest.is_some() => Freshness::Complete,
        None if tip.is_some() => Freshness::OnItsWay,
        None => Freshness::NeverBuilt,
    }
}

fn sentence(facts: &Facts, freshness: Freshness) -> String {
    let published = match &facts.published {
        Some((build, generation)) => {
            format!("{} is published since generation {generation}", build.nvr)
        }
        None => "nothing of it is published".to_owned(),
    };
    let news = match freshness {
        Freshness::Current => return format!("{published}: you have the newest"),
        Freshness::Published => return published,
        Freshness::NeverBuilt => return "it was never built".to_owned(),
        Freshness::Complete => "a fresh build is complete and waits to be published",
        Freshness::UnderWay => "a fresh build is under way",
        Freshness::OnItsWay => "a fresh build is on its way",
        Freshness::Undecided if facts.is_proposed() => {
            "whether it is built anew is for a person to allow"
        }
        Freshness::Undecided => "what its dependencies change decides whether it is built anew",
        Freshness::Stuck => "a fresh build is stuck and waits for a person",
    };
    format!("{news}; {published}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_several_ways() {
        let read = |name: &str| {
            let readings = readings(name).into_iter().map(|(name, evr)| match evr {
                Some(evr) => format!("{name}@{evr}"),
                None => name,
            });
            readings.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(read("zlib"), "zlib");
        assert_eq!(
            read("zlib-devel-1.3-1.f44.x86_64"),
            "zlib-devel-1.3-1.f44.x86_64 zlib-devel@1.3-1.f44 zlib-devel@1.3-1.f44.x86_64"
        );
        assert_eq!(read("a-2:1-1.noarch.rpm"), "a-2:1-1.noarch.rpm a@2:1-1 a@2:1-1.noarch");
        assert_eq!(read("zlib-1.3-1"), "zlib-1.3-1 zlib@1.3-1");
    }
}
