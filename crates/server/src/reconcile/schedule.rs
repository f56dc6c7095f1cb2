//! What may start -> its inputs or its test root, resolved and recorded, and a place in the queue.

mod compose;
mod image;
mod inputs;
mod package;

use std::collections::HashSet;

use adapters::testing::INSTALLS;
use model::artifact::{ArtifactKey, ArtifactKind};
use model::build::{
    BuildState, Buildroot, Failure, FailureKind, Flavour, Inputs, InstalledPackage,
};
use model::clock::Timestamp;
use model::decision::DecisionKind;
use model::digest::Digest;
use model::hold::HoldKind;
use model::id::BuildId;
use model::image::ImageRecipe;
use model::plan::StepIndex;
use model::publication::PublishedBuild;
use model::step::StepState;
use model::test::{Outcome, TestResult, TestRun, TestRunState};
use pipeline::progress;
use store::builds::{NewBuild, Reservation};
use store::leases::{self, Lease};
use store::{Tx, builds, holds, results, sets, test_runs};

use super::{Outcome as Look, Stage, StageError};
use crate::clock::mint;
use crate::context::Context;
use crate::resolving::{self, Repository, Resolution};
use crate::view::{self, Overlay, View, overlay};

/// What an image would be built of, or why that cannot be had.
pub(crate) async fn image_inputs(
    context: &Context,
    artifact: &ArtifactKey,
    recipe: &ImageRecipe,
    around: (&Overlay, &Repository),
) -> Result<Result<Inputs, Vec<String>>, StageError> {
    let resolved = image::resolve(context, artifact, recipe, around).await?;
    Ok(resolved.map(|resolved| resolved.inputs))
}

/// Queues the builds and the test runs that may start.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Look, StageError> {
    let held = held(context).await?;
    let mut outcome = Look::Idle;
    for mut view in view::started(context).await? {
        if queue_builds(context, lease, &mut view, &held).await? {
            outcome = Look::Busy;
        }
        for index in to_test(&view) {
            if queue_test(context, lease, &mut view, index).await? {
                outcome = Look::Busy;
            }
        }
    }
    if outcome == Look::Busy {
        for stage in [Stage::Build, Stage::Test, Stage::Fate] {
            context.wakes.wake(stage);
        }
    }
    Ok(outcome)
}

/// Queues every build of a plan that may start; whether anything moved. What cannot be resolved fails once nothing that is
/// to come may bring what it lacks.
async fn queue_builds(
    context: &Context,
    lease: &Lease,
    view: &mut View,
    held: &HashSet<ArtifactKey>,
) -> Result<bool, StageError> {
    let (mut lacking, mut indices) = (Vec::new(), Vec::new());
    let mut has_moved = false;
    loop {
        let now = context.clock.now();
        let startable = progress::startable(&view.progress(), held, &indices, now);
        if startable.is_empty() {
            break;
        }
        for index in startable {
            match queue_build(context, lease, view, index).await? {
                Queued::Yes => has_moved = true,
                Queued::Unresolvable(problems) => {
                    lacking.push((index, problems));
                    indices.push(index);
                }
            }
        }
    }
    if !lacking.is_empty() && !progress::may_be_solved_later(&view.progress(), &indices) {
        unresolvable(context, lease, view, lacking).await?;
        has_moved = true;
    }
    Ok(has_moved)
}

async fn held(context: &Context) -> Result<HashSet<ArtifactKey>, StageError> {
    let in_force = holds::in_force(&mut *context.store.read().await?, context.clock.now()).await?;
    let holds = in_force.into_iter().filter(|hold| hold.kind == HoldKind::Hold);
    Ok(holds.map(|hold| hold.artifact).collect())
}

/// What became of the wish to build something.
enum Queued {
    /// A build is queued, was made before, or cannot be made.
    Yes,
    /// What it needs cannot be installed, for these reasons.
    Unresolvable(Vec<String>),
}

/// Resolves a build's inputs, reserves its NVR and queues it. A build with the same inputs is taken as it is.
async fn queue_build(
    context: &Context,
    lease: &Lease,
    view: &mut View,
    index: StepIndex,
) -> Result<Queued, StageError> {
    let planned = view.plan.steps[index].clone();
    let content = context.content(&planned.artifact, &planned.commit).await?;
    let content = content.ok_or_else(|| {
        StageError::Outside(format!("the source of {} is missing", planned.artifact))
    })?;
    let flavour = progress::flavour(&view.progress(), index, content.bootstrap.is_some());
    let overlay = overlay(context, view, index).await?;
    let repository = resolving::repository(context, &overlay).await?;
    let of = (&content, flavour);
    let resolved = inputs::resolve(context, &planned.artifact, of, (&overlay, &repository)).await?;
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(problems) => return Ok(Queued::Unresolvable(problems)),
    };
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    let new = NewBuild {
        id: mint(),
        input: input(context, &planned, flavour, &resolved.digests),
        snapshot: sets::put_json(&mut tx, &repository.manifest).await?,
        inputs: sets::put_json(&mut tx, &resolved.inputs).await?,
        artifact: planned.artifact.clone(),
        commit: planned.commit.clone(),
        flavour,
        name: content.name.clone(),
        evr: content.evr.clone(),
        dist: context.config.dist(planned.artifact.branch.as_str()),
        created: context.clock.now(),
    };
    let (state, words) = match builds::reserve(&mut tx, &new).await? {
        Reservation::New(build) => (
            StepState::Building { build: build.id },
            format!("build {} as {}", build.number, build.nvr),
        ),
        Reservation::Known(build) => {
            let build = requeue_cancelled(context, &mut tx, build).await?;
            let words =
                format!("build {} ({}) has the same inputs and is used", build.number, build.nvr);
            (StepState::Building { build: build.id }, words)
        }
        Reservation::Taken { nvr } => {
            let message = format!(
                "{nvr} was built before, and its release does not end in %{{?dist}}: no other NVR can be made for a rebuild"
            );
            let failure =
                Failure { kind: FailureKind::Failed, message: message.clone(), line: None };
            (StepState::Failed { build: None, failure }, message)
        }
    };
    if let Some(reason) = progress::settled_reason(&view.progress(), index) {
        view.steps[index].reason = reason;
    }
    view.enter(context, index, state)?;
    view.note(context, DecisionKind::Build, Some(index), (words, serde_json::Value::Null));
    view.store(&mut tx).await?;
    tx.commit().await?;
    Ok(Queued::Yes)
}

/// A build that was ended because nobody wanted it is wanted again.
async fn requeue_cancelled(
    context: &Context,
    tx: &mut Tx,
    mut build: model::build::Build,
) -> Result<model::build::Build, StageError> {
    if matches!(build.state, BuildState::Cancelled { .. }) {
        build.state = build.state.enter(BuildState::Queued).map_err(StageError::outside)?;
        build.attempt += 1;
        build.version = builds::update(tx, &build, context.clock.now()).await?;
    }
    Ok(build)
}

/// Nothing of the plan can bring what these lack: they fail, each with the resolver's reasons.
async fn unresolvable(
    context: &Context,
    lease: &Lease,
    view: &mut View,
    lacking: Vec<(StepIndex, Vec<String>)>,
) -> Result<(), StageError> {
    for (index, problems) in lacking {
        let message = problems.join("; ");
        let failure = Failure { kind: FailureKind::Unresolvable, message, line: None };
        let words = (failure.to_string(), serde_json::json!(problems));
        view.note(context, DecisionKind::Failed, Some(index), words);
        view.enter(context, index, StepState::Failed { build: None, failure })?;
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    view.store(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// Everything that goes into a build. What is not in here must not change what comes out.
fn input(
    context: &Context,
    planned: &model::plan::PlannedStep,
    flavour: Flavour,
    digests: &[String],
) -> Digest {
    let dist = context.config.dist(planned.artifact.branch.as_str());
    let mut fields = vec![
        planned.artifact.to_string(),
        planned.commit.to_string(),
        flavour.as_str().to_owned(),
        context.toolchain.nevra.clone(),
        dist,
    ];
    fields.extend(digests.iter().cloned());
    Digest::of_fields(fields)
}

/// Steps whose tests are to be run: members of a unit that is built, and run-time users of what changed.
fn to_test(view: &View) -> Vec<StepIndex> {
    let progress = view.progress();
    let wanted = |step: &&model::step::Step| match step.state {
        StepState::Retest => true,
        // What the gate refuses at once, for a removed test, has to be tested all the same.
        StepState::Built { .. } | StepState::Held { .. } => {
            progress::is_unit_built(&progress, view.plan.steps[step.index].unit)
        }
        _ => false,
    };
    view.steps.iter().filter(wanted).map(|step| step.index).collect()
}

/// Resolves a test root and queues the run, unless this build was tested with the same packages before.
async fn queue_test(
    context: &Context,
    lease: &Lease,
    view: &mut View,
    index: StepIndex,
) -> Result<bool, StageError> {
    let retest = matches!(view.steps[index].state, StepState::Retest);
    let Some(build) = view.steps[index].state.outputs().or(view.plan.steps[index].replaces) else {
        return Ok(false);
    };
    if !retest && !test_runs::of_build(&mut *context.store.read().await?, build).await?.is_empty() {
        return Ok(false);
    }
    let (installed, manifest, problem) = test_root(context, view, (index, build)).await?;
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    let now = context.clock.now();
    let state =
        if problem.is_none() { TestRunState::Queued } else { TestRunState::Finished { at: now } };
    let run = TestRun {
        id: mint(),
        artifact: view.artifact(index).clone(),
        build,
        installed: sets::put_json(&mut tx, &Buildroot(installed.clone())).await?,
        snapshot: sets::put_json(&mut tx, &manifest).await?,
        with: with(&installed, build),
        attempt: 1,
        state,
        created: now,
        version: 0,
    };
    let (run, is_new) = test_runs::insert_or_find(&mut tx, &run).await?;
    if let Some(note) = problem.filter(|_| is_new) {
        results::insert_many(&mut tx, &[does_not_install(&run, note, now)]).await?;
    }
    if retest {
        view.enter(context, index, StepState::Testing { run: run.id })?;
    }
    view.store(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// That a build's packages cannot be installed is a result of its own.
fn does_not_install(run: &TestRun, note: String, at: Timestamp) -> TestResult {
    TestResult {
        id: mint(),
        run: Some(run.id),
        artifact: run.artifact.clone(),
        build: run.build,
        case: INSTALLS.to_owned(),
        outcome: Outcome::Failed,
        note,
        at,
    }
}

/// What a build is tested with. An image and a compose have everything in them.
async fn test_root(
    context: &Context,
    view: &View,
    (index, build): (StepIndex, BuildId),
) -> Result<(Vec<InstalledPackage>, Vec<PublishedBuild>, Option<String>), StageError> {
    if view.artifact(index).kind == ArtifactKind::Rpms {
        return package_root(context, view, (index, build)).await;
    }
    let image = context.image(build).await?;
    Ok((image.map(|image| image.contents).unwrap_or_default(), Vec::new(), None))
}

/// What is installed to test packages: all of them with what they require; or what makes that impossible.
async fn package_root(
    context: &Context,
    view: &View,
    (index, build): (StepIndex, BuildId),
) -> Result<(Vec<InstalledPackage>, Vec<PublishedBuild>, Option<String>), StageError> {
    let mut overlay = overlay(context, view, index).await?;
    overlay.builds.insert(view.artifact(index).clone(), build);
    let repository = resolving::repository(context, &overlay).await?;
    let facts = context.facts(build).await?;
    let packages = facts.iter().flat_map(|facts| &facts.packages);
    let subjects = packages.clone().map(|package| package.nevra.to_string()).collect();
    match resolving::resolve(context, &repository, subjects, &[]).await? {
        Resolution::Installed(installed) => Ok((installed, repository.manifest, None)),
        Resolution::Problems(problems) => {
            let problem = problems.join("; ");
            // Runs are told apart by what is installed; this one is by what could not be.
            let missing = packages.map(|package| InstalledPackage {
                nevra: package.nevra.clone(),
                digest: Digest::of(problem.as_bytes()),
                build: None,
                direct: true,
            });
            Ok((missing.collect(), repository.manifest, Some(problem)))
        }
    }
}

fn with(installed: &[InstalledPackage], tested: BuildId) -> Vec<BuildId> {
    let mut with: Vec<BuildId> = installed.iter().filter_map(|package| package.build).collect();
    with.retain(|build| *build != tested);
    with.sort_unstable();
    with.dedup();
    with
}
