//! What lies on the disk, and what the store says about it.
//!
//! The disk is read first: what comes into being meanwhile is then no fact, and stays. So does what the store does not
//! know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use adapters::{compose, repository};
use model::artifact::BranchName;
use model::build::{Build, BuildState, Inputs};
use model::clock::Timestamp;
use model::id::{BuildId, TestRunId};
use model::step::{Step, StepState};
use model::test::{TestRun, TestRunState};
use pipeline::retention::{
    BuildFacts, ComposeFacts, Facts, GenerationFacts, PlanFacts, RunFacts, SnapshotFacts,
};
use store::{Page, Reader, Store, builds, plans, publications, removals, sets, steps, test_runs};

use crate::config::Config;
use crate::reconcile::StageError;

/// Gathers everything that the decision reads.
pub(super) async fn gather(
    config: &Config,
    store: &Store,
    now: Timestamp,
) -> Result<Facts, StageError> {
    let branches = publications::branches(&mut *store.read().await?).await?;
    let disk = Disk::read(config, &branches)?;
    let mut reader = store.snapshot().await?;
    let mut facts =
        Facts { now, snapshots: disk.snapshots, composes: disk.composes, ..Facts::default() };
    for branch in &branches {
        let current = publications::current_builds(&mut reader, branch).await?;
        facts.published.extend(current.into_iter().map(|entry| (branch.clone(), entry.build)));
    }
    facts.generations = generations(&mut reader, &disk.generations).await?;
    facts.plans = open_plans(&mut reader).await?;
    facts.runs = runs(&mut reader, &disk.test_logs).await?;
    facts.builds = known_builds(&mut reader, &facts, (&disk.outputs, &disk.logs)).await?;
    Ok(facts)
}

/// What lies on the disk.
#[derive(Default)]
struct Disk {
    outputs: BTreeSet<BuildId>,
    logs: BTreeSet<BuildId>,
    test_logs: Vec<TestRunId>,
    snapshots: Vec<SnapshotFacts>,
    generations: Vec<(BranchName, i64, bool)>,
    composes: Vec<ComposeFacts>,
}

impl Disk {
    fn read(config: &Config, branches: &[BranchName]) -> Result<Self, StageError> {
        let mut disk = Self::default();
        for name in names(&config.builds_root())? {
            let log = name.strip_suffix(".log");
            let log = log.map(|name| name.strip_suffix(".reproduced").unwrap_or(name));
            disk.logs.extend(log.and_then(|name| name.parse::<BuildId>().ok()));
            disk.outputs.extend(name.parse::<BuildId>().ok());
        }
        let runs = names(&config.test_logs_root())?;
        disk.test_logs.extend(runs.iter().filter_map(|name| name.parse::<TestRunId>().ok()));
        let snapshots = repository::snapshots(&config.snapshots_root());
        for (id, used) in snapshots.map_err(StageError::outside)? {
            disk.snapshots.push(SnapshotFacts { id: id.to_string(), used });
        }
        let root = config.published_root();
        for branch in branches {
            let found = repository::generations(&root, branch).map_err(StageError::outside)?;
            let placed = |(number, current)| (branch.clone(), number, current);
            disk.generations.extend(found.into_iter().map(placed));
            let found =
                compose::list(&config.composes_root(branch)).map_err(StageError::outside)?;
            let composes = found.into_iter().map(|(id, latest)| {
                let id = id.to_string();
                ComposeFacts { branch: branch.clone(), id, latest }
            });
            disk.composes.extend(composes);
        }
        Ok(disk)
    }
}

/// The names of what is in a folder; none if there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, StageError> {
    let read = || -> std::io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    read().map_err(|error| StageError::Outside(format!("{}: {error}", folder.display())))
}

async fn generations(
    reader: &mut Reader,
    found: &[(BranchName, i64, bool)],
) -> Result<Vec<GenerationFacts>, StageError> {
    let mut generations = Vec::new();
    for (branch, number, current) in found {
        let page = Page::before(number + 1, 1);
        let listed = publications::list(reader, branch, page).await?;
        let known = listed.into_iter().find(|generation| generation.number == *number);
        let builds = known.into_iter().flat_map(|generation| generation.builds);
        generations.push(GenerationFacts {
            branch: branch.clone(),
            number: *number,
            current: *current,
            builds: builds.map(|published| published.build).collect(),
        });
    }
    Ok(generations)
}

async fn open_plans(reader: &mut Reader) -> Result<Vec<PlanFacts>, StageError> {
    let mut open = Vec::new();
    for branch in plans::open_branches(reader).await? {
        for head in plans::open(reader, &branch).await? {
            let Some(found) = plans::get(reader, head.id).await? else { continue };
            let steps = steps::of_plan(reader, head.id).await?;
            let replaced = found.plan.steps.iter().filter_map(|step| step.replaces);
            let made =
                steps.iter().flat_map(|step| step.state.build().into_iter().chain(step.previous));
            open.push(PlanFacts {
                number: head.number,
                builds: replaced.chain(made).collect(),
                runs: steps.iter().filter_map(run_of).collect(),
            });
        }
    }
    Ok(open)
}

fn run_of(step: &Step) -> Option<TestRunId> {
    match step.state {
        StepState::Testing { run } | StepState::Retested { run } => Some(run),
        _ => None,
    }
}

async fn runs(reader: &mut Reader, logs: &[TestRunId]) -> Result<Vec<RunFacts>, StageError> {
    let mut known: BTreeMap<TestRunId, TestRun> = BTreeMap::new();
    let waiting = test_runs::queued(reader, u32::MAX).await?;
    let running = test_runs::running(reader).await?;
    let logged = test_runs::get_many(reader, logs).await?;
    known.extend(waiting.into_iter().chain(running).chain(logged).map(|run| (run.id, run)));
    let logs: BTreeSet<TestRunId> = logs.iter().copied().collect();
    let facts = known.into_values().map(|run| {
        let (under_way, ended) = match &run.state {
            TestRunState::Finished { at } | TestRunState::Errored { at, .. } => (false, *at),
            TestRunState::Queued | TestRunState::Running { .. } => (true, run.created),
        };
        let log = logs.contains(&run.id);
        RunFacts { run: run.id, build: run.build, with: run.with, under_way, ended, log }
    });
    Ok(facts.collect())
}

/// The builds that lie there or are under way, with the inputs of those that are used.
async fn known_builds(
    reader: &mut Reader,
    facts: &Facts,
    (outputs, logs): (&BTreeSet<BuildId>, &BTreeSet<BuildId>),
) -> Result<BTreeMap<BuildId, BuildFacts>, StageError> {
    let mut used: BTreeSet<BuildId> = facts.published.iter().map(|(_, build)| *build).collect();
    used.extend(facts.plans.iter().flat_map(|plan| &plan.builds));
    let mut under_way = builds::queued(reader, u32::MAX).await?;
    under_way.extend(builds::running(reader).await?);
    used.extend(under_way.iter().map(|build| build.id));
    let unused = removals::unused(reader).await?;
    let wanted: BTreeSet<BuildId> = used.iter().chain(outputs).chain(logs).copied().collect();
    let mut known = BTreeMap::new();
    for build in builds::get_many(reader, &wanted.into_iter().collect::<Vec<_>>()).await? {
        let against = match used.contains(&build.id) {
            true => inputs(reader, &build).await?,
            false => Vec::new(),
        };
        let (under_way, ended) = end(&build);
        let fact = BuildFacts {
            under_way,
            ended,
            against,
            outputs: outputs.contains(&build.id),
            log: logs.contains(&build.id),
            unused: unused.get(&build.id).copied(),
        };
        known.insert(build.id, fact);
    }
    Ok(known)
}

/// The builds that went into a build.
async fn inputs(reader: &mut Reader, build: &Build) -> Result<Vec<BuildId>, StageError> {
    let inputs: Option<Inputs> = sets::get_json(reader, build.inputs).await?;
    let inputs = inputs.ok_or_else(|| {
        StageError::Outside(format!("the inputs of {} are missing from the store", build.nvr))
    })?;
    Ok(inputs.builds())
}

fn end(build: &Build) -> (bool, Timestamp) {
    match &build.state {
        BuildState::Queued | BuildState::Running { .. } => (true, build.created),
        BuildState::Succeeded { at, .. }
        | BuildState::Failed { at, .. }
        | BuildState::Cancelled { at, .. } => (false, *at),
    }
}
