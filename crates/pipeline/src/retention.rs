//! What lies on the disk and who uses it -> what is not kept any more, each with its reason.
//!
//! Never removed is what is published, what an open plan or work under way may read, and what building a published
//! build again takes. What nobody uses is first noted as unused, and goes only after it stayed so: a revert, or a
//! plan that takes up an older build, comes in time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use model::artifact::BranchName;
use model::clock::Timestamp;
use model::id::{BuildId, TestRunId};
use model::removal::{Doomed, RemovalReason, Subject, SubjectKind};

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Logs of builds and of test runs, after their end.
    pub logs: Duration,
    /// Snapshots, after their last use.
    pub snapshots: Duration,
    /// What builds put out, after nobody used it any more.
    pub builds: Duration,
    /// How many generations of each branch.
    pub generations: usize,
    /// How many composes of each line.
    pub composes: usize,
}

/// What lies on the disk, and who may read it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The present.
    pub now: Timestamp,
    /// The builds of which something lies there, and those that others need.
    pub builds: BTreeMap<BuildId, BuildFacts>,
    /// The test runs whose logs lie there, and those that are under way.
    pub runs: Vec<RunFacts>,
    /// The snapshots that lie there.
    pub snapshots: Vec<SnapshotFacts>,
    /// The generations that lie there.
    pub generations: Vec<GenerationFacts>,
    /// The composes that lie there.
    pub composes: Vec<ComposeFacts>,
    /// What is published on each branch.
    pub published: Vec<(BranchName, BuildId)>,
    /// The plans that are open.
    pub plans: Vec<PlanFacts>,
}

/// A build.
#[derive(Clone, Debug, Default)]
pub struct BuildFacts {
    /// Whether it waits for a builder or has one.
    pub under_way: bool,
    /// When it ended, or was asked for.
    pub ended: Timestamp,
    /// The builds in its buildroot; they may be left out for a build that is neither published, under way nor in an
    /// open plan.
    pub against: Vec<BuildId>,
    /// Whether its outputs lie there.
    pub outputs: bool,
    /// Whether its log lies there.
    pub log: bool,
    /// Since when its outputs have been noted as unused.
    pub unused: Option<Timestamp>,
}

/// A test run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// The run.
    pub run: TestRunId,
    /// The build it tests.
    pub build: BuildId,
    /// The other builds that are installed for it.
    pub with: Vec<BuildId>,
    /// Whether it waits for a place or has one.
    pub under_way: bool,
    /// When it ended, or was asked for.
    pub ended: Timestamp,
    /// Whether its logs lie there.
    pub log: bool,
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotFacts {
    /// Its id.
    pub id: String,
    /// When it was used last.
    pub used: Timestamp,
}

/// A generation of a branch.
#[derive(Clone, Debug)]
pub struct GenerationFacts {
    /// The branch.
    pub branch: BranchName,
    /// Its number.
    pub number: i64,
    /// Whether it is the published one.
    pub current: bool,
    /// The builds in it.
    pub builds: Vec<BuildId>,
}

/// A compose.
#[derive(Clone, Debug)]
pub struct ComposeFacts {
    /// The branch.
    pub branch: BranchName,
    /// Its id, `SHORT-VERSION-DATE.RESPIN`.
    pub id: String,
    /// Whether a `latest-NAME` link points at it.
    pub latest: bool,
}

/// An open plan.
#[derive(Clone, Debug)]
pub struct PlanFacts {
    /// Its public number.
    pub number: i64,
    /// The builds it made, takes up or compares with.
    pub builds: Vec<BuildId>,
    /// The test runs it waits for or has read.
    pub runs: Vec<TestRunId>,
}

/// Why a build is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It is published.
    Published,
    /// An open plan has it.
    Planned,
    /// It, or a test with it, is under way.
    UnderWay,
    /// It is in a generation that is kept.
    InGeneration,
    /// Something of the above was built in a buildroot with it.
    InBuildroot,
    /// Nobody uses it, but not for long enough.
    Recent,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "published",
            Self::Planned => "in an open plan",
            Self::UnderWay => "under way",
            Self::InGeneration => "in a generation that is kept",
            Self::InBuildroot => "needed to build these again",
            Self::Recent => "not old enough",
        })
    }
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is not kept any more.
    pub doomed: Vec<Doomed>,
    /// Builds whose outputs are to be noted as unused from now on.
    pub unused: Vec<BuildId>,
    /// Builds that were noted and are used again.
    pub used: Vec<BuildId>,
    /// How many of each kind are kept, and why.
    pub kept: BTreeMap<(SubjectKind, Use), usize>,
}

/// Decides what is not kept any more.
pub fn decide(facts: &Facts, policy: &Policy) -> Verdict {
    let mut verdict = Verdict::default();
    let kept = generations(facts, policy, &mut verdict);
    let uses = uses(facts, &kept);
    builds(facts, policy, &uses, &mut verdict);
    runs(facts, policy, &uses, &mut verdict);
    snapshots(facts, policy, &mut verdict);
    composes(facts, policy, &mut verdict);
    verdict
}

impl Verdict {
    fn keep(&mut self, kind: SubjectKind, why: Use) {
        *self.kept.entry((kind, why)).or_default() += 1;
    }

    fn doom(&mut self, subject: Subject, reason: RemovalReason) {
        self.doomed.push(Doomed { subject, reason });
    }
}

/// Condemns what is older than the last few generations; returns those that are kept. The published one is, and so is
/// one above it, which is about to be published.
fn generations<'a>(
    facts: &'a Facts,
    policy: &Policy,
    verdict: &mut Verdict,
) -> Vec<&'a GenerationFacts> {
    let mut by_branch: BTreeMap<&BranchName, Vec<&GenerationFacts>> = BTreeMap::new();
    for generation in &facts.generations {
        by_branch.entry(&generation.branch).or_default().push(generation);
    }
    let mut kept = Vec::new();
    for (branch, mut generations) in by_branch {
        generations.sort_by_key(|generation| std::cmp::Reverse(generation.number));
        let current = generations.iter().find(|generation| generation.current);
        let current = current.map_or(i64::MIN, |current| current.number);
        for (newer, generation) in generations.into_iter().enumerate() {
            if newer < policy.generations || generation.number >= current {
                let why = if generation.current { Use::Published } else { Use::Recent };
                verdict.keep(SubjectKind::Generation, why);
                kept.push(generation);
            } else {
                let name = format!("{branch}/{}", generation.number);
                let newer = newer.max(1);
                let subject = Subject::new(SubjectKind::Generation, name);
                verdict.doom(subject, RemovalReason::Outnumbered { newer });
            }
        }
    }
    kept
}

/// Every build that must stay, with the strongest reason.
fn uses(facts: &Facts, kept: &[&GenerationFacts]) -> HashMap<BuildId, Use> {
    let mut uses = HashMap::new();
    let mut add = |builds: &mut dyn Iterator<Item = BuildId>, why: Use| {
        for build in builds {
            uses.entry(build).or_insert(why);
        }
    };
    add(&mut facts.published.iter().map(|(_, build)| *build), Use::Published);
    add(&mut facts.plans.iter().flat_map(|plan| plan.builds.iter().copied()), Use::Planned);
    let under_way = facts.builds.iter().filter(|(_, build)| build.under_way);
    add(&mut under_way.map(|(id, _)| *id), Use::UnderWay);
    let tests = facts.runs.iter().filter(|run| run.under_way);
    add(&mut tests.flat_map(|run| run.with.iter().copied().chain([run.build])), Use::UnderWay);
    let roots: BTreeSet<BuildId> = uses.keys().copied().collect();
    let mut add = |builds: &mut dyn Iterator<Item = BuildId>, why: Use| {
        for build in builds {
            uses.entry(build).or_insert(why);
        }
    };
    add(&mut kept.iter().flat_map(|kept| kept.builds.iter().copied()), Use::InGeneration);
    let against = roots.iter().filter_map(|root| facts.builds.get(root));
    add(&mut against.flat_map(|build| build.against.iter().copied()), Use::InBuildroot);
    uses
}

fn builds(facts: &Facts, policy: &Policy, uses: &HashMap<BuildId, Use>, verdict: &mut Verdict) {
    for (id, build) in &facts.builds {
        let used = uses.get(id).copied();
        if build.outputs {
            outputs(facts.now, policy, (*id, build, used), verdict);
        }
        if build.log {
            let subject = Subject::new(SubjectKind::Log, id);
            log(facts.now, policy, (subject, build.ended, used), verdict);
        }
    }
}

fn outputs(
    now: Timestamp,
    policy: &Policy,
    (id, build, used): (BuildId, &BuildFacts, Option<Use>),
    verdict: &mut Verdict,
) {
    match (used, build.unused) {
        (Some(why), noted) => {
            verdict.keep(SubjectKind::Outputs, why);
            verdict.used.extend(noted.map(|_| id));
        }
        (None, Some(since)) if now.since(since) >= policy.builds => {
            let reason = RemovalReason::Unused { since, kept: policy.builds };
            verdict.doom(Subject::new(SubjectKind::Outputs, id), reason);
        }
        (None, noted) => {
            verdict.keep(SubjectKind::Outputs, Use::Recent);
            if noted.is_none() {
                verdict.unused.push(id);
            }
        }
    }
}

/// The log of something that ended. What a buildroot needs of a build are its outputs, so that alone keeps no log.
fn log(
    now: Timestamp,
    policy: &Policy,
    (subject, ended, used): (Subject, Timestamp, Option<Use>),
    verdict: &mut Verdict,
) {
    match used.filter(|why| !matches!(why, Use::InBuildroot | Use::InGeneration)) {
        Some(why) => verdict.keep(subject.kind, why),
        None if now.since(ended) >= policy.logs => {
            verdict.doom(subject, RemovalReason::Old { ended, kept: policy.logs });
        }
        None => verdict.keep(subject.kind, Use::Recent),
    }
}

/// A published build is tested again and again: its runs are kept while an open plan reads them, and for a while.
fn runs(facts: &Facts, policy: &Policy, uses: &HashMap<BuildId, Use>, verdict: &mut Verdict) {
    let read: BTreeSet<TestRunId> =
        facts.plans.iter().flat_map(|plan| plan.runs.iter().copied()).collect();
    for run in facts.runs.iter().filter(|run| run.log) {
        let planned = uses.get(&run.build) == Some(&Use::Planned) || read.contains(&run.run);
        let used = match (run.under_way, planned) {
            (true, _) => Some(Use::UnderWay),
            (false, true) => Some(Use::Planned),
            (false, false) => None,
        };
        let subject = Subject::new(SubjectKind::TestLog, run.run);
        log(facts.now, policy, (subject, run.ended, used), verdict);
    }
}

/// A snapshot can be made again from what builds put out, so only its last use counts.
fn snapshots(facts: &Facts, policy: &Policy, verdict: &mut Verdict) {
    for snapshot in &facts.snapshots {
        if facts.now.since(snapshot.used) >= policy.snapshots {
            let reason = RemovalReason::Unused { since: snapshot.used, kept: policy.snapshots };
            verdict.doom(Subject::new(SubjectKind::Snapshot, &snapshot.id), reason);
        } else {
            verdict.keep(SubjectKind::Snapshot, Use::Recent);
        }
    }
}

/// Condemns what is older than the last few composes of its line, never what a link points at nor what is newer than
/// that. What is not named as a compose is left alone.
fn composes(facts: &Facts, policy: &Policy, verdict: &mut Verdict) {
    let mut lines: BTreeMap<(&BranchName, &str), Vec<(ComposeAge<'_>, &ComposeFacts)>> =
        BTreeMap::new();
    for compose in &facts.composes {
        if let Some((line, age)) = compose_age(&compose.id) {
            lines.entry((&compose.branch, line)).or_default().push((age, compose));
        }
    }
    for ((branch, _), mut composes) in lines {
        composes.sort_by(|(one, _), (other, _)| other.cmp(one));
        let latest = composes.iter().position(|(_, compose)| compose.latest);
        // Without a link nothing is known to be published: then nothing is too old.
        let safe = policy.composes.max(latest.map_or(usize::MAX, |position| position + 1));
        for (newer, (_, compose)) in composes.into_iter().enumerate() {
            if compose.latest {
                verdict.keep(SubjectKind::Compose, Use::Published);
            } else if newer < safe {
                verdict.keep(SubjectKind::Compose, Use::Recent);
            } else {
                let name = format!("{branch}/{}", compose.id);
                let reason = RemovalReason::Outnumbered { newer };
                verdict.doom(Subject::new(SubjectKind::Compose, name), reason);
            }
        }
    }
}

/// Date and respin, by which composes of a line are ordered, and whatever stands between.
type ComposeAge<'a> = (u64, u64, &'a str);

/// The line of a compose, as `Almanac-44`, and its age: `Almanac-44-20261101.n.2` is of 2026-11-01, the third of its day.
fn compose_age(id: &str) -> Option<(&str, ComposeAge<'_>)> {
    let (line, stamp) = id.rsplit_once('-')?;
    let (date, rest) = stamp.split_once('.')?;
    let (label, respin) = rest.rsplit_once('.').unwrap_or(("", rest));
    Some((line, (date.parse().ok()?, respin.parse().ok()?, label)))
}

#[cfg(test)]
mod tests;
