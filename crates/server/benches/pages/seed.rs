//! A store as it is after some months: artifacts with edges and builds, and plans of many sizes.

use std::collections::HashMap;
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{
    BuildOutput, BuildState, Buildroot, Failure, FailureKind, Flavour, Inputs, PackagesOutput,
    Product,
};
use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind};
use model::digest::Digest;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Severity};
use model::id::{BuildId, EventId, PlanId};
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use model::rule::PlanMode;
use model::source::About;
use model::step::{Step, StepState};
use pipeline::plan::{Ground, Published, Request, Root, Setup, first_steps, make};
use pipeline::rules::matching::Answer;
use pipeline::rules::passage::Route;
use pipeline::rules::shipped;
use server::config::Config;
use store::builds::{Fence, NewBuild, Reservation};
use store::refs::Move;
use store::{Store, Tx, builds, decisions, edges, events, plans, refs, sets};
use uuid::Uuid;

/// How many artifacts there are.
pub(crate) const ARTIFACTS: usize = 34_000;
/// How many steps the largest plan has.
pub(crate) const LARGE: usize = 3_000;
/// How many of the newest plans are open.
const OPEN: usize = 40;
/// How many things one transaction stores.
const AT_ONCE: usize = 200;
/// When everything happened: some months in steps of five minutes.
const START: i64 = 1_780_000_000_000_000;

/// What there is.
pub(crate) struct Seeded {
    pub(crate) plans: usize,
    pub(crate) builds: usize,
    /// Plans of particular sizes: what they are called, and their public numbers.
    pub(crate) special: Vec<(String, i64)>,
}

/// The name of an artifact.
pub(crate) fn name(number: usize) -> String {
    format!("package{:05}", number % ARTIFACTS)
}

fn key(number: usize) -> ArtifactKey {
    format!("rpms/{}#f44", name(number)).parse().expect("a valid key")
}

fn commit(number: usize) -> CommitId {
    format!("{number:040x}").parse().expect("a valid commit")
}

fn at(number: usize) -> Timestamp {
    Timestamp(START + i64::try_from(number).expect("a small number") * 300_000_000)
}

fn id<T: From<Uuid>>(kind: u128, number: usize) -> T {
    T::from(Uuid::from_u128(kind << 96 | number as u128))
}

/// Fills a new store.
pub(crate) async fn fill(config: &Config, plans: usize) -> Seeded {
    println!("filling the store with {ARTIFACTS} artifacts and {plans} plans");
    let store = Store::open(&config.db_url()).await.expect("the store opens");
    artifacts(&store).await;
    let builds = built(&store, plans * 2).await;
    let mut special = Vec::new();
    for first in (0..plans).step_by(AT_ONCE) {
        let mut tx = store.begin().await.expect("a transaction");
        for number in first..(first + AT_ONCE).min(plans) {
            let size = size(number, plans);
            let stored = planned(&mut tx, number, size, number + OPEN >= plans).await;
            if size >= 400 {
                special.push((format!("the plan of {size} steps"), stored));
            }
        }
        tx.commit().await.expect("a commit");
    }
    store.close().await;
    special.dedup_by(|later, first| later.0 == first.0);
    special.sort_by_key(|(name, _)| name.len());
    Seeded { plans, builds, special }
}

/// Most plans are small; a few are not.
fn size(number: usize, plans: usize) -> usize {
    match plans - number {
        50 => LARGE,
        51 => 800,
        52 => 400,
        _ if number % 500 == 7 => 400,
        _ => 5 + (number * 7919) % 56,
    }
}

async fn artifacts(store: &Store) {
    for first in (0..ARTIFACTS).step_by(1_000) {
        let mut tx = store.begin().await.expect("a transaction");
        for number in first..first + 1_000 {
            let artifact = key(number);
            let own: Vec<Edge> = (1..=8)
                .map(|step| edge(number, (number * 31 + step * 977) % ARTIFACTS))
                .filter(|edge| edge.dependency != artifact)
                .collect();
            edges::replace_for(&mut tx, &artifact, &own, false).await.expect("edges");
            let moved = Move {
                artifact,
                commit: Some(commit(number)),
                previous: None,
                forced: false,
                at: at(0),
                event: None,
            };
            refs::move_tip(&mut tx, &moved).await.expect("a tip");
        }
        tx.commit().await.expect("a commit");
    }
}

fn edge(dependent: usize, dependency: usize) -> Edge {
    Edge {
        dependent: key(dependent),
        dependency: key(dependency),
        kind: EdgeKind::BuildRequires,
        package: format!("{}-devel", name(dependency)),
        evidence: Evidence::Spec { commit: commit(dependent), capability: name(dependency) },
    }
}

/// Builds of the first artifacts; every ninth failed, in one of a few ways.
async fn built(store: &Store, count: usize) -> usize {
    for first in (0..count).step_by(AT_ONCE) {
        let mut tx = store.begin().await.expect("a transaction");
        let inputs = Inputs::Buildroot(Buildroot::default());
        let inputs = sets::put_json(&mut tx, &inputs).await.expect("inputs");
        for number in first..(first + AT_ONCE).min(count) {
            one_build(&mut tx, number, inputs).await;
        }
        tx.commit().await.expect("a commit");
    }
    count
}

async fn one_build(tx: &mut Tx, number: usize, inputs: Digest) {
    let artifact = key(number * 3);
    let new = NewBuild {
        id: id(3, number),
        name: artifact.name.to_string(),
        artifact,
        commit: commit(number),
        flavour: Flavour::Full,
        input: Digest::of(format!("input {number}")),
        evr: "1.2-3.f44".parse().expect("a valid version"),
        dist: ".f44".to_owned(),
        snapshot: Digest::of("snapshot"),
        inputs,
        created: at(number / 2),
    };
    let reserved = builds::reserve(tx, &new).await.expect("a build");
    let Reservation::New(build) = reserved else { panic!("build {number} is not new") };
    let fence = Fence { build: build.id, owner: "bench".to_owned(), attempt: 1 };
    builds::start(tx, &fence, at(number / 2)).await.expect("a start");
    let state = if number.is_multiple_of(9) {
        let message = format!("main.c:{number}:1: fatal error: lib{}.h: No such file", number % 90);
        let failure = Failure { kind: FailureKind::Failed, message, line: Some(1) };
        BuildState::Failed { failure, at: at(number / 2) }
    } else {
        let product = PackagesOutput {
            packages: Vec::new(),
            source_package: "x.src.rpm".to_owned(),
            build_requires: Vec::new(),
        };
        let output = BuildOutput { product: Product::Packages(product), facets: Vec::new() };
        let output = sets::put_json(tx, &output).await.expect("an output");
        let took = Duration::from_secs(30 + number as u64 % 300);
        BuildState::Succeeded { took, at: at(number / 2), output, facets: Digest::of("facets") }
    };
    builds::finish(tx, &fence, state, at(number / 2)).await.expect("an end");
}

async fn planned(tx: &mut Tx, number: usize, size: usize, is_open: bool) -> i64 {
    let event: EventId = id(1, number);
    let root = number * 17;
    let committed = committed(number, root);
    events::insert(tx, event, &committed, at(number)).await.expect("an event");
    let plan = plan(number, root, size, event);
    let steps: Vec<Step> =
        first_steps(&plan).into_iter().map(|step| stand(step, number, (is_open, size))).collect();
    let stored = plans::insert(tx, &plan, &steps).await.expect("a plan");
    let decided: Vec<Decision> =
        (0..8.min(steps.len())).map(|step| decision(&plan, step)).collect();
    decisions::append_many(tx, &decided).await.expect("decisions");
    stored
}

fn committed(number: usize, root: usize) -> Event {
    Event::Committed {
        artifact: key(root),
        commit: commit(number),
        previous: None,
        forced: false,
        severity: Severity::None,
        subject: format!("Change number {number} of a long series"),
    }
}

/// How far a commit goes by the shipped rules.
fn route(number: usize, root: usize) -> Route {
    match shipped::set().ask(&committed(number, root), &About::default()).answer() {
        Answer::Start(launch) => launch.route,
        Answer::Nothing { sentence, .. } => panic!("{sentence}"),
    }
}

/// A plan in layers of about eight, each step needing three of the layer before.
fn plan(number: usize, root: usize, size: usize, event: EventId) -> Plan {
    let member = |step: usize| root + step;
    let width = (size / 12).clamp(2, 120);
    let mut edges = Vec::new();
    for step in 1..size {
        let layer = (step - 1) / width;
        for other in 0..3 {
            let before = match layer {
                0 => 0,
                _ => 1 + (layer - 1) * width + (step * 7 + other * 5) % width,
            };
            edges.push(edge(member(step), member(before)));
        }
    }
    edges.sort();
    edges.dedup();
    let published: HashMap<ArtifactKey, Published> = (0..size)
        .map(|step| {
            let published = Published { build: id(3, step), commit: commit(step) };
            (key(member(step)), published)
        })
        .collect();
    let subject = format!("Change number {number} of a long series");
    let reason = Reason::SourceChanged { event, commit: commit(number), subject };
    let change = Root {
        artifact: key(root),
        commit: commit(number),
        action: RootAction::Rebuild,
        reason,
        severity: Severity::None,
        event,
        rule: None,
        hours: None,
    };
    let request = Request {
        id: id::<PlanId>(2, number),
        parent: None,
        branch: "f44".parse().expect("a valid branch"),
        created: at(number),
        origin: at(number),
        start: at(number),
        mode: PlanMode::Real,
        approval: None,
        roots: vec![change],
        routes: [(event, route(number, root))].into(),
    };
    let ground = Ground { edges, published, ..Ground::default() };
    let default_duration = Duration::from_secs(120);
    make(request, &ground, &Setup { max_rounds: 5, capacity: 8, default_duration })
}

/// Where a step stands: settled in old plans, in all the ways there are in the newest.
fn stand(step: Step, plan: usize, (is_open, size): (bool, usize)) -> Step {
    let build: BuildId = id(3, (plan + step.index) % 1_000 * 9 + 1);
    let published = StepState::Published { build, generation: 1 };
    let state = match (is_open, step.index % 7) {
        (false, 0 | 3) => published,
        (false, _) => StepState::Unneeded,
        (true, 0) if step.index < size / 2 => published,
        (true, 1) if step.index < size / 2 => StepState::Building { build },
        (true, 2) if step.index == 2 && plan.is_multiple_of(5) => {
            let message = "fatal error: lib7.h: No such file".to_owned();
            let failure = Failure { kind: FailureKind::Failed, message, line: Some(9) };
            StepState::Failed { build: Some(build), failure }
        }
        (true, 3) => StepState::Rebuild,
        (true, _) => StepState::Waiting,
    };
    Step { state, since: at(plan), ..step }
}

fn decision(plan: &Plan, step: usize) -> Decision {
    Decision {
        kind: DecisionKind::Rebuild,
        at: plan.created,
        event: plan.events.first().copied(),
        plan: Some(plan.id),
        artifact: Some(plan.steps[step].artifact.clone()),
        sentence: "its build-requires edge listens to the headers, which changed".to_owned(),
        detail: serde_json::json!({}),
    }
}
