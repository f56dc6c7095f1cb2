//! What the tests share: both databases, and things to store in them.

use std::future::Future;
use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::build::{Build, BuildState, Flavour};
use model::clock::Timestamp;
use model::digest::Digest;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Severity};
use model::id::{BuildId, EventId, PlanId};
use model::plan::{Plan, PlannedStep, RootAction, Unit};
use model::reason::Reason;
use model::rule::PlanMode;
use model::step::{Step, StepState};
use store::builds::{Fence, NewBuild, Reservation};
use store::testing::TestDatabase;
use store::{Store, Tx, builds};
use uuid::Uuid;

/// Runs a test on an empty SQLite and on an empty PostgreSQL.
pub(crate) async fn both<F>(test: impl Fn(Store) -> F)
where
    F: Future<Output = ()>,
{
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        // Shown only when the test fails.
        println!("on {}", database.url);
        let store = Store::open(&database.url).await.unwrap();
        test(store.clone()).await;
        // Whatever a test stored can be read again.
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        store.close().await;
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000 + second * 1_000_000)
}

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

pub(crate) fn branch() -> BranchName {
    "f44".parse().unwrap()
}

pub(crate) fn artifact(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

pub(crate) fn commit(number: u32) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text)
}

pub(crate) fn committed(name: &str, number: u32) -> Event {
    Event::Committed {
        artifact: artifact(name),
        commit: commit(number),
        previous: None,
        forced: false,
        severity: Severity::Low,
        subject: format!("commit {number}\0 with a NUL"),
    }
}

pub(crate) fn edge(dependent: &str, dependency: &str) -> Edge {
    Edge {
        dependent: artifact(dependent),
        dependency: artifact(dependency),
        kind: EdgeKind::BuildRequires,
        package: format!("{dependency}-devel"),
        evidence: Evidence::Buildroot { build: id(1) },
    }
}

/// A build that is asked for: of `name`, with the input `input`, as the spec `1.3-1.f44` says.
pub(crate) fn new_build(number: u128, name: &str, input: &str) -> NewBuild {
    NewBuild {
        id: id(number),
        artifact: artifact(name),
        commit: commit(1),
        flavour: Flavour::Full,
        input: digest(input),
        name: name.to_owned(),
        evr: "1.3-1.f44".parse().unwrap(),
        dist: ".f44".to_owned(),
        snapshot: digest("snapshot"),
        inputs: digest("inputs"),
        created: at(0),
    }
}

/// Stores a queued build.
pub(crate) async fn queued(tx: &mut Tx, number: u128, name: &str, input: &str) -> Build {
    match builds::reserve(tx, &new_build(number, name, input)).await.unwrap() {
        Reservation::New(build) => build,
        other => panic!("{other:?} is not new"),
    }
}

pub(crate) fn fence(build: &Build, owner: &str) -> Fence {
    Fence { build: build.id, owner: owner.to_owned(), attempt: build.attempt }
}

pub(crate) fn succeeded(seconds: u64) -> BuildState {
    BuildState::Succeeded {
        took: Duration::from_secs(seconds),
        at: at(100),
        output: digest("output"),
        facets: digest("facets"),
    }
}

/// A plan with a waiting step for each of `names`, answering the event of its own number.
pub(crate) fn plan(number: u128, names: &[&str]) -> (Plan, Vec<Step>) {
    let event: EventId = id(number);
    let plan_id: PlanId = id(number);
    let reason =
        Reason::SourceChanged { event, commit: commit(1), subject: "a \"subject\"".to_owned() };
    let planned = |name: &&str| PlannedStep {
        artifact: artifact(name),
        commit: commit(1),
        root: Some(RootAction::Rebuild),
        reason: reason.clone(),
        rule: Some("package-changed".parse().unwrap()),
        hours: Some("22:00-06:00".parse().unwrap()),
        not_before: Some(at(2)),
        replaces: Some(id::<BuildId>(7)),
        tier: 0,
        unit: 0,
        predicted: Duration::from_millis(1_500),
    };
    let plan = Plan {
        id: plan_id,
        parent: None,
        branch: branch(),
        events: vec![event],
        mode: PlanMode::Real,
        approval: None,
        severity: Severity::Important,
        created: at(1),
        origin: at(1),
        start: at(2),
        steps: names.iter().map(planned).collect(),
        units: vec![Unit { members: (0..names.len()).collect(), max_rounds: 3 }],
        edges: Vec::new(),
        stops: Vec::new(),
        predicted: Duration::from_millis(2_500),
    };
    let step = |index| Step {
        plan: plan_id,
        index,
        state: StepState::Waiting,
        reason: reason.clone(),
        round: 1,
        previous: None,
        since: at(3),
        version: 1,
    };
    let steps = (0..names.len()).map(step).collect();
    (plan, steps)
}
