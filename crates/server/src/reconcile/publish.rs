//! What passed its gate -> the published repository, in groups that break nothing, switched atomically.
//!
//! The intent is committed first, then the repository is switched, then that is recorded. A kill between any two of
//! these is found at the next look and finished.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use adapters::closure::HOST_TOOLCHAIN;
use adapters::compose::{self, ComposeError};
use adapters::repository;
use model::artifact::{ArtifactKey, ArtifactKind, BranchName};
use model::build::{Buildroot, Inputs};
use model::decision::DecisionKind;
use model::id::BuildId;
use model::plan::StepIndex;
use model::publication::{Generation, PublishedBuild};
use model::step::StepState;
use pipeline::affected::edges::{Providers, of_build, of_compose, of_image};
use pipeline::facts::{BuildFacts, Facts};
use pipeline::progress;
use pipeline::publish::{Candidate, Group, closed_group};
use store::leases::{self, Lease};
use store::outbox::Outgoing;
use store::{Tx, builds, decisions, edges, outbox, publications, sets};

use super::build::LAYOUT;
use super::{Outcome, Stage, StageError};
use crate::clock::mint;
use crate::composing::composed;
use crate::context::Context;
use crate::resolving;
use crate::view::{self, Overlay, View, files};

/// Finishes what was begun, then publishes what may be.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let mut outcome = Outcome::Idle;
    for branch in pending_branches(context).await? {
        let pending = publications::pending(&mut *context.store.read().await?, &branch).await?;
        for generation in pending {
            switch(context, lease, &generation).await?;
            outcome = Outcome::Busy;
        }
    }
    for mut view in view::started(context).await? {
        if is_time(context, &view) && publish(context, lease, &mut view).await? {
            outcome = Outcome::Busy;
        }
    }
    Ok(outcome)
}

async fn pending_branches(context: &Context) -> Result<BTreeSet<BranchName>, StageError> {
    let mut reader = context.store.read().await?;
    let branches = publications::branches(&mut reader).await?;
    Ok(branches.into_iter().collect())
}

/// A plan's outputs are published when nothing of it is under way, or when they have waited long enough.
fn is_time(context: &Context, view: &View) -> bool {
    let waits = |step: &model::step::Step| matches!(step.state, StepState::Passed { .. });
    let busy = |step: &model::step::Step| match &step.state {
        StepState::Building { .. }
        | StepState::Built { .. }
        | StepState::Retest
        | StepState::Testing { .. } => true,
        StepState::Rebuild => view.progress().obstacles(step.index).is_empty(),
        _ => false,
    };
    let longest = view
        .steps
        .iter()
        .filter(|step| waits(step))
        .map(|step| context.clock.now().since(step.since))
        .max();
    longest.is_some_and(|longest| {
        !view.steps.iter().any(busy) || longest >= context.config.planning.publish_after_seconds
    })
}

/// Records the intent to publish the largest group that is closed; false if there is none.
async fn publish(context: &Context, lease: &Lease, view: &mut View) -> Result<bool, StageError> {
    let candidates = candidates(view);
    if candidates.is_empty() {
        return refuse(context, lease, view, waits_for_users(view)).await;
    }
    let published = context.published.current(&context.store, &view.plan.branch).await?;
    let new = candidates.iter().flat_map(|candidate| &candidate.builds).map(|(_, build)| *build);
    let wanted: Vec<BuildId> = published.builds.values().copied().chain(new).collect();
    let facts = all_facts(context, &wanted).await?;
    let made = view.steps.iter().filter_map(|step| step.state.outputs()).collect();
    let group = closed_group(&candidates, &published.builds, &context.stand_in, &made, &facts);
    let mut after = published.builds.clone();
    let chosen =
        group.candidates.iter().flat_map(|&candidate| candidates[candidate].builds.iter().cloned());
    let chosen: Vec<(ArtifactKey, BuildId)> = chosen.collect();
    if chosen.is_empty() {
        return refuse(context, lease, view, refusal(&group)).await;
    }
    after.extend(chosen.iter().cloned());
    let broken = broken(context, &published.builds, &after).await?;
    if !broken.is_empty() {
        return refuse(context, lease, view, broken.join("; ")).await;
    }
    let generation = Generation {
        branch: view.plan.branch.clone(),
        number: published.generation + 1,
        plan: view.plan.id,
        builds: after
            .into_iter()
            .map(|(artifact, build)| PublishedBuild { artifact, build })
            .collect(),
        at: context.clock.now(),
        switched: None,
    };
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    publications::begin_generation(&mut tx, &generation).await?;
    tx.commit().await?;
    switch(context, lease, &generation).await?;
    Ok(true)
}

/// Units all of whose built members passed, and whose users that changed as well passed with them.
fn candidates(view: &View) -> Vec<Candidate> {
    let progress = view.progress();
    let passed = |&index: &StepIndex| match &view.steps[index].state {
        StepState::Passed { build } => Some((view.artifact(index).clone(), *build)),
        _ => None,
    };
    let units = view.plan.units.iter().enumerate();
    let free = units.filter(|(unit, _)| progress::changed_users(&progress, *unit).is_empty());
    let candidates = free
        .map(|(_, unit)| Candidate { builds: unit.members.iter().filter_map(passed).collect() });
    candidates.filter(|candidate| !candidate.builds.is_empty()).collect()
}

fn waits_for_users(view: &View) -> String {
    let progress = view.progress();
    let mut users: Vec<String> = (0..view.plan.units.len())
        .flat_map(|unit| progress::changed_users(&progress, unit))
        .map(|index| view.artifact(index).to_string())
        .collect();
    users.sort();
    users.dedup();
    format!("what passed waits for users of it that changed as well: {}", users.join(", "))
}

async fn all_facts(context: &Context, wanted: &[BuildId]) -> Result<Facts, StageError> {
    let mut known = HashMap::new();
    for build in wanted {
        if let Some(facts) = context.facts(*build).await? {
            known.insert(*build, facts);
        }
    }
    Ok(Facts::new(known))
}

fn refusal(group: &Group) -> String {
    let list: Vec<String> =
        group.waiting.iter().map(|(_, breakage)| breakage.to_string()).collect();
    format!("publishing now would break what works: {}", list.join("; "))
}

/// Puts on record, once, why what passed is not published.
async fn refuse(
    context: &Context,
    lease: &Lease,
    view: &mut View,
    sentence: String,
) -> Result<bool, StageError> {
    let filter = decisions::DecisionFilter {
        plan: Some(view.plan.id),
        ..decisions::DecisionFilter::default()
    };
    let recent =
        decisions::list(&mut *context.store.read().await?, &filter, store::Page::first(50)).await?;
    let said = recent.iter().find(|known| known.decision.kind == DecisionKind::PublishRefused);
    if said.is_some_and(|said| said.decision.sentence == sentence) {
        return Ok(false);
    }
    view.note(context, DecisionKind::PublishRefused, None, (sentence, serde_json::Value::Null));
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    view.store(&mut tx).await?;
    tx.commit().await?;
    Ok(false)
}

/// What could be installed before and could not after, as the resolver says.
async fn broken(
    context: &Context,
    before: &BTreeMap<ArtifactKey, BuildId>,
    after: &BTreeMap<ArtifactKey, BuildId>,
) -> Result<Vec<String>, StageError> {
    let (before, after) = (problems(context, before).await?, problems(context, after).await?);
    let new = after.into_iter().filter(|(name, _)| !before.contains_key(name));
    Ok(new.map(|(name, problems)| format!("{name}: {}", problems.join(", "))).collect())
}

/// The packages that cannot be installed from a repository of these builds, and why.
async fn problems(
    context: &Context,
    builds: &BTreeMap<ArtifactKey, BuildId>,
) -> Result<BTreeMap<String, Vec<String>>, StageError> {
    let repository = resolving::repository(context, &Overlay { builds: builds.clone() }).await?;
    let loaded = context.ready.repository(&repository.folder).await.map_err(StageError::outside)?;
    let broken = tokio::task::spawn_blocking(move || loaded.broken(HOST_TOOLCHAIN)).await;
    let broken = broken.map_err(StageError::outside)?.map_err(StageError::outside)?;
    Ok(broken.into_iter().collect())
}

/// Switches the repository to a generation and records everything that follows from it.
async fn switch(
    context: &Context,
    lease: &Lease,
    generation: &Generation,
) -> Result<(), StageError> {
    let mut contents = repository::Contents {
        packages: vec![context.toolchain.rpm.clone()],
        images: BTreeMap::new(),
    };
    let mut known: BTreeMap<ArtifactKey, (BuildId, std::sync::Arc<BuildFacts>)> = BTreeMap::new();
    for published in &generation.builds {
        let facts = context.facts(published.build).await?;
        let facts = facts.ok_or_else(|| {
            StageError::Outside(format!("the outputs of build {} are missing", published.build))
        })?;
        contents.packages.extend(files(context, published.build, &facts));
        if published.artifact.kind == ArtifactKind::Containers {
            let folder = context.config.builds_root().join(published.build.to_string());
            contents.images.insert(published.artifact.name.to_string(), folder.join(LAYOUT));
        }
        known.insert(published.artifact.clone(), (published.build, facts));
    }
    let root = context.config.published_root();
    composes(context, generation).await?;
    repository::publish(&root, &generation.branch, generation.number, &contents)
        .await
        .map_err(StageError::outside)?;
    let mut view = view::load(context, generation.plan).await?;
    let news = enter_published(context, &mut view, generation)?;
    let edges = edges_of(context, &news, &known).await?;
    let now = context.clock.now();
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, now).await?;
    publications::mark_switched(&mut tx, &generation.branch, generation.number, now).await?;
    view.store(&mut tx).await?;
    for (artifact, edges) in &edges {
        edges::replace_for(&mut tx, artifact, edges, false).await?;
    }
    tell(context, &mut tx, generation, &news).await?;
    tx.commit().await?;
    for stage in [Stage::Outbox, Stage::Fate] {
        context.wakes.wake(stage);
    }
    Ok(())
}

/// Publishes the composes of a generation. One that is published already is found so.
async fn composes(context: &Context, generation: &Generation) -> Result<(), StageError> {
    let root = context.config.composes_root(&generation.branch);
    let mut reader = context.store.read().await?;
    let shipped = generation.builds.iter();
    let shipped = shipped.filter(|shipped| shipped.artifact.kind == ArtifactKind::Composes);
    let mut found = Vec::new();
    for shipped in shipped {
        found.extend(builds::get(&mut reader, shipped.build).await?);
    }
    drop(reader);
    for build in found {
        // One that an earlier generation brought may have outlived its folder in the builds.
        let Some((compose, folder)) = composed(context, &build).await? else { continue };
        let name = &build.artifact.name;
        // The link is switched after the folder is there, so only the link tells that nothing is left to do.
        let latest = compose::latest(&root, name).map_err(StageError::outside)?;
        if latest.as_ref() == Some(&compose.id) {
            continue;
        }
        match compose::publish(&folder, &root, &compose.id, name).await {
            // A clock that went back is no reason to keep packages from their users.
            Err(error @ ComposeError::Stale { .. }) => tracing::warn!(%error, "not published"),
            other => other.map_err(StageError::outside)?,
        }
    }
    Ok(())
}

/// Lets the plan's steps whose builds came into the repository be published, and says which they are.
fn enter_published(
    context: &Context,
    view: &mut View,
    generation: &Generation,
) -> Result<Vec<PublishedBuild>, StageError> {
    let mut news = Vec::new();
    for index in 0..view.steps.len() {
        let StepState::Passed { build } = view.steps[index].state else { continue };
        let published = PublishedBuild { artifact: view.artifact(index).clone(), build };
        if generation.builds.contains(&published) {
            view.enter(
                context,
                index,
                StepState::Published { build, generation: generation.number },
            )?;
            let sentence =
                format!("published in generation {} of {}", generation.number, generation.branch);
            view.note(
                context,
                DecisionKind::Published,
                Some(index),
                (sentence, serde_json::Value::Null),
            );
            news.push(published);
        }
    }
    Ok(news)
}

/// The edges that the published builds are evidence for; they take the place of what specs said.
async fn edges_of(
    context: &Context,
    news: &[PublishedBuild],
    known: &BTreeMap<ArtifactKey, (BuildId, std::sync::Arc<BuildFacts>)>,
) -> Result<Vec<(ArtifactKey, Vec<model::edge::Edge>)>, StageError> {
    let mut providers = Providers::default();
    for (artifact, (_, facts)) in known {
        for package in &facts.packages {
            providers.add(artifact, &package.nevra.name, &package.provides);
        }
        providers.add_files(artifact, &facts.facets);
    }
    let mut found = Vec::new();
    for published in news {
        let mut reader = context.store.read().await?;
        let Some(build) = builds::get(&mut reader, published.build).await? else { continue };
        let inputs: Option<Inputs> = sets::get_json(&mut reader, build.inputs).await?;
        let inputs = inputs.unwrap_or_else(|| Inputs::Buildroot(Buildroot::default()));
        let owners = owners(&mut reader, &inputs).await?;
        let artifact = &published.artifact;
        let edges = match &inputs {
            Inputs::Buildroot(root) => {
                let packages =
                    known.get(artifact).map_or(&[][..], |(_, facts)| facts.packages.as_slice());
                of_build(artifact, build.id, packages, root, (&owners, &providers))
            }
            Inputs::Image(image) => of_image(artifact, build.id, image, &owners),
            Inputs::Compose(compose) => of_compose(artifact, build.id, compose, &owners),
        };
        found.push((artifact.clone(), edges));
    }
    Ok(found)
}

async fn owners(
    reader: &mut store::Conn,
    inputs: &Inputs,
) -> Result<HashMap<BuildId, ArtifactKey>, StageError> {
    let found = builds::get_many(reader, &inputs.builds()).await?;
    Ok(found.into_iter().map(|build| (build.id, build.artifact)).collect())
}

/// Puts into the outbox what the world should know.
async fn tell(
    context: &Context,
    tx: &mut Tx,
    generation: &Generation,
    news: &[PublishedBuild],
) -> Result<(), StageError> {
    let mut nvrs = Vec::new();
    for published in news {
        if let Some(build) = builds::get(tx, published.build).await? {
            nvrs.push(build.nvr.to_string());
        }
    }
    let body = serde_json::json!({
        "branch": generation.branch,
        "generation": generation.number,
        "plan": generation.plan,
        "builds": nvrs,
    });
    let message = Outgoing {
        id: mint(),
        topic: "millstream.repository.published".to_owned(),
        body,
        at: context.clock.now(),
    };
    Ok(outbox::push(tx, &message).await?)
}
