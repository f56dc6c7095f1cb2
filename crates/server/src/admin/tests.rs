//! Interventions and questions on a small plan: `lib` changed, `user` uses it at run time and was retested.

use std::time::Duration;

use model::artifact::CommitId;
use model::build::{Build, BuildState, Failure, FailureKind, Flavour};
use model::clock::ManualClock;
use model::digest::Digest;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::Event;
use model::facet::{Facet, FacetChange};
use model::gate::{Objection, ObjectionKind};
use model::id::{EventId, PlanId};
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use model::removal::{Doomed, RemovalReason, Subject, SubjectKind};
use model::rule::PlanMode;
use model::source::About;
use model::step::{Step, StepState};
use model::test::{TestRun, TestRunState};
use pipeline::plan::{Ground, Published, Request as PlanRequest, Root, Setup, first_steps, make};
use pipeline::rules::matching::Answer;
use pipeline::rules::passage::Route;
use pipeline::rules::shipped;
use store::builds::{Fence, NewBuild, Reservation};
use store::{builds, events, plans, removals, steps, test_runs};

use super::retry::RetryRequest;
use super::*;
use crate::clock::mint;

struct Scene {
    admin: Admin,
    lib: Build,
    run: TestRun,
    _folder: tempfile::TempDir,
}

const LIB: &str = "rpms/lib#f44";
const USER: &str = "rpms/user#f44";

fn key(text: &str) -> ArtifactKey {
    text.parse().unwrap()
}

fn commit() -> CommitId {
    "c".repeat(40).parse().unwrap()
}

fn edge() -> Edge {
    let evidence = Evidence::Spec { commit: commit(), capability: "lib".to_owned() };
    Edge {
        dependent: key(USER),
        dependency: key(LIB),
        kind: EdgeKind::Requires,
        package: "lib".to_owned(),
        evidence,
    }
}

async fn open() -> (Admin, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    let store = Store::open(&config.db_url()).await.unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_000_000)));
    (Admin::with(config, store, clock), folder)
}

/// A build in the given state.
async fn build(tx: &mut Tx, artifact: &str, state: BuildState) -> Build {
    let artifact = key(artifact);
    let new = NewBuild {
        id: mint(),
        name: artifact.name.to_string(),
        artifact,
        commit: commit(),
        flavour: Flavour::Full,
        input: Digest::of("input"),
        evr: "1-1.f44".parse().unwrap(),
        dist: ".f44".to_owned(),
        snapshot: Digest::of("snapshot"),
        inputs: Digest::of("inputs"),
        created: Timestamp(1),
    };
    let Reservation::New(build) = builds::reserve(tx, &new).await.unwrap() else {
        panic!("there was a build already")
    };
    let fence = Fence { build: build.id, owner: "me".to_owned(), attempt: 1 };
    builds::start(tx, &fence, Timestamp(1)).await.unwrap();
    builds::finish(tx, &fence, state, Timestamp(1)).await.unwrap()
}

fn succeeded() -> BuildState {
    let (output, facets) = (Digest::of("output"), Digest::of("facets"));
    BuildState::Succeeded { took: Duration::from_secs(1), at: Timestamp(1), output, facets }
}

fn failure() -> Failure {
    Failure { kind: FailureKind::Failed, message: "no such header".to_owned(), line: Some(3) }
}

fn committed() -> Event {
    Event::Committed {
        artifact: key(LIB),
        commit: commit(),
        previous: None,
        forced: false,
        severity: Severity::None,
        subject: "Change it".to_owned(),
    }
}

/// How far a commit goes by the shipped rules.
fn route() -> Route {
    match shipped::set().ask(&committed(), &About::default()).answer() {
        Answer::Start(launch) => launch.route,
        Answer::Nothing { sentence, .. } => panic!("{sentence}"),
    }
}

fn plan(event: EventId, user: &Build) -> Plan {
    let reason = Reason::SourceChanged { event, commit: commit(), subject: "Change it".to_owned() };
    let severity = Severity::None;
    let root = Root {
        artifact: key(LIB),
        commit: commit(),
        action: RootAction::Rebuild,
        reason,
        severity,
        event,
        rule: Some("package-changed".parse().unwrap()),
        hours: None,
    };
    let request = PlanRequest {
        id: mint::<PlanId>(),
        parent: None,
        branch: "f44".parse().unwrap(),
        created: Timestamp(1),
        origin: Timestamp(1),
        start: Timestamp(1),
        mode: PlanMode::Real,
        approval: None,
        roots: vec![root],
        routes: [(event, route())].into(),
    };
    let published = Published { build: user.id, commit: commit() };
    let ground = Ground {
        edges: vec![edge()],
        published: [(key(USER), published)].into(),
        ..Ground::default()
    };
    make(
        request,
        &ground,
        &Setup { max_rounds: 3, capacity: 1, default_duration: Duration::from_secs(60) },
    )
}

/// Stores the plan with `lib` in a state that `state` makes of its build and run.
async fn scene(lib: BuildState, state: impl Fn(&Build) -> StepState) -> Scene {
    let (admin, folder) = open().await;
    let mut tx = admin.store.begin().await.unwrap();
    let event: EventId = mint();
    events::insert(&mut tx, event, &committed(), Timestamp(1)).await.unwrap();
    let lib = build(&mut tx, LIB, lib).await;
    let user = build(&mut tx, USER, succeeded()).await;
    let run = TestRun {
        id: mint(),
        artifact: key(USER),
        build: user.id,
        installed: Digest::of("installed"),
        snapshot: Digest::of("snapshot"),
        with: vec![lib.id],
        attempt: 1,
        state: TestRunState::Finished { at: Timestamp(1) },
        created: Timestamp(1),
        version: 0,
    };
    let (run, _) = test_runs::insert_or_find(&mut tx, &run).await.unwrap();
    let plan = plan(event, &user);
    let mut steps = first_steps(&plan);
    steps[0].state = state(&lib);
    steps[1].state = StepState::Retested { run: run.id };
    let change = FacetChange {
        package: "lib".to_owned(),
        facet: Facet::Abi,
        added: vec![],
        removed: vec!["gone".to_owned()],
    };
    steps[1].reason = Reason::UsesAtRunTime { edge: edge(), change };
    plans::insert(&mut tx, &plan, &steps).await.unwrap();
    tx.commit().await.unwrap();
    Scene { admin, lib, run, _folder: folder }
}

fn held(kind: ObjectionKind) -> impl Fn(&Build) -> StepState {
    move |lib| {
        let objection =
            Objection { artifact: key(USER), case: "tests.use".to_owned(), kind: kind.clone() };
        StepState::Held { build: lib.id, objections: vec![objection] }
    }
}

fn failed() -> impl Fn(&Build) -> StepState {
    |lib| StepState::Failed { build: Some(lib.id), failure: failure() }
}

fn signature(author: &str, reason: &str) -> Signature {
    Signature { author: author.to_owned(), reason: reason.to_owned(), seen: None }
}

fn by_ann() -> RetryRequest {
    let signature = signature("ann", "again");
    RetryRequest { plan: None, artifact: None, failed_only: false, signature }
}

impl Scene {
    async fn states(&self) -> Vec<&'static str> {
        let mut reader = self.admin.store.read().await.unwrap();
        let plan = super::plans::numbered(&mut reader, 1).await.unwrap();
        let steps: Vec<Step> = steps::of_plan(&mut reader, plan.plan.id).await.unwrap();
        steps.iter().map(|step| step.state.name()).collect()
    }
}

#[tokio::test]
async fn a_retry_has_tested_again_what_a_gate_objects_to_and_nothing_else() {
    let scene =
        scene(succeeded(), held(ObjectionKind::Failed { note: "it crashed".to_owned() })).await;
    let failed_only = RetryRequest { failed_only: true, ..by_ann() };
    assert!(!scene.admin.retry(&failed_only).await.unwrap().is_any());
    assert_eq!(scene.states().await, ["held", "retested"]);

    let retried = scene.admin.retry(&by_ann()).await.unwrap();
    assert_eq!(retried.to_string(), "rpms/user#f44 is tested again\n");
    assert_eq!(scene.states().await, ["built", "retest"]);
    let mut reader = scene.admin.store.read().await.unwrap();
    let run = test_runs::get(&mut reader, scene.run.id).await.unwrap().unwrap();
    assert_eq!((run.state, run.attempt), (TestRunState::Queued, 2));
    let lib = builds::get(&mut reader, scene.lib.id).await.unwrap().unwrap();
    assert_eq!((lib.state.name(), lib.attempt), ("succeeded", 1));
    assert!(!scene.admin.retry(&by_ann()).await.unwrap().is_any());
}

#[tokio::test]
async fn what_a_test_cannot_resolve_stays_held_and_is_named() {
    let scene = scene(succeeded(), held(ObjectionKind::Removed)).await;
    let retried = scene.admin.retry(&by_ann()).await.unwrap();
    assert!(
        !retried.is_any() && retried.left[0].ends_with("`millstream gate sign-off`"),
        "{retried}"
    );
    assert_eq!(scene.states().await, ["held", "retested"]);
}

#[tokio::test]
async fn a_retry_builds_again_what_failed() {
    let scene = scene(BuildState::Failed { failure: failure(), at: Timestamp(1) }, failed()).await;
    let other = RetryRequest { artifact: Some(key(USER)), ..by_ann() };
    assert!(!scene.admin.retry(&other).await.unwrap().is_any());
    let retried = scene.admin.retry(&RetryRequest { failed_only: true, ..by_ann() }).await.unwrap();
    assert_eq!(retried.builds, [key(LIB)]);
    assert_eq!(scene.states().await, ["rebuild", "retested"]);
    let mut reader = scene.admin.store.read().await.unwrap();
    let lib = builds::get(&mut reader, scene.lib.id).await.unwrap().unwrap();
    assert_eq!((lib.state, lib.attempt), (BuildState::Queued, 2));
    drop(reader);

    let filter =
        store::decisions::DecisionFilter { artifact: Some(key(LIB)), ..Default::default() };
    let mut reader = scene.admin.store.read().await.unwrap();
    let ledger = store::decisions::list(&mut reader, &filter, store::Page::first(9)).await.unwrap();
    assert_eq!(ledger[0].decision.sentence, "ann has it tried again: again");
}

#[tokio::test]
async fn nobody_intervenes_without_a_name() {
    let scene = scene(succeeded(), held(ObjectionKind::Missing)).await;
    let error = scene
        .admin
        .retry(&RetryRequest { signature: signature(" ", "again"), ..by_ann() })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(scene.states().await, ["held", "retested"]);
}

#[tokio::test]
async fn what_has_started_need_not_be_started() {
    let scene = scene(succeeded(), held(ObjectionKind::Missing)).await;
    let error = scene.admin.run_plan(1, &signature("ann", "hurry")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Input, "plan 1 has started already".to_owned())
    );
}

#[tokio::test]
async fn a_cancelled_plan_leaves_what_is_settled() {
    let scene = scene(succeeded(), held(ObjectionKind::Missing)).await;
    let cancelled = scene.admin.cancel_plan(1, &signature("ann", "not wanted")).await.unwrap();
    assert_eq!(cancelled.to_string(), "plan 1: 1 steps cancelled\n");
    assert_eq!(scene.states().await, ["cancelled", "retested"]);
    assert_eq!(
        scene.admin.cancel_plan(1, &signature("ann", "again")).await.unwrap_err().kind(),
        ErrorKind::Input
    );
}

#[tokio::test]
async fn why_goes_from_edge_to_edge_and_ends_in_an_event() {
    let scene =
        scene(succeeded(), held(ObjectionKind::Failed { note: "it crashed".to_owned() })).await;
    let why = scene.admin.why(&key(USER), None).await.unwrap();
    let expected = "plan 1
  rpms/user#f44 is retested: it uses lib at run time, and the abi of lib (gone) changed
    edge requires lib of rpms/lib#f44, facets abi
  rpms/lib#f44 is held: its source changed in cccccccccc: Change it
    tests.use of rpms/user#f44 failed: it crashed
  event 1, 1970-01-01T00:00:00Z: commit cccccccccc to rpms/lib#f44: Change it
";
    assert_eq!(why.to_string(), expected);
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(json["chain"][0]["edge"]["kind"], "requires");
    assert_eq!(json["event"]["number"], 1);
}

#[tokio::test]
async fn why_not_of_something_unreached_names_what_changed() {
    let scene = scene(succeeded(), held(ObjectionKind::Missing)).await;
    let mut tx = scene.admin.store.begin().await.unwrap();
    let moved = refs::Move {
        artifact: key("rpms/other#f44"),
        commit: Some(commit()),
        previous: None,
        forced: false,
        at: Timestamp(1),
        event: None,
    };
    refs::move_tip(&mut tx, &moved).await.unwrap();
    tx.commit().await.unwrap();
    let never = scene.admin.why_not(&key("rpms/other#f44"), None, None).await.unwrap();
    assert!(never.sentence.contains("was never published"), "{never}");
    let unknown = scene.admin.why_not(&key("rpms/nothing#f44"), None, Some(1)).await.unwrap();
    assert!(unknown.sentence.contains("nothing is known of"), "{unknown}");
    assert_eq!(unknown.events[0].number, 1);
    let rebuilt = scene.admin.why_not(&key(USER), Some(1), None).await;
    assert!(!rebuilt.unwrap().rebuilt, "a retest is no rebuild");
}

#[tokio::test]
async fn a_refused_gate_tells_its_objections() {
    let scene =
        scene(succeeded(), held(ObjectionKind::Failed { note: "it crashed".to_owned() })).await;
    let decision = scene.admin.decide_gate(LIB).await.unwrap();
    assert!(!decision.is_open());
    let text = "lib-1-1.f44 of rpms/lib#f44 in plan 1: refused\n  tests.use of rpms/user#f44 failed: it crashed\n";
    assert_eq!(decision.to_string(), text);
}

#[tokio::test]
async fn a_log_that_was_removed_says_when_and_why() {
    let scene = scene(succeeded(), held(ObjectionKind::Missing)).await;
    assert_eq!(scene.admin.build_log("1").await.unwrap().removed, None);
    let mut tx = scene.admin.store.begin().await.unwrap();
    let reason = RemovalReason::Old { ended: Timestamp(1), kept: Duration::from_secs(86_400 * 90) };
    let subject = Subject::new(SubjectKind::Log, scene.lib.id);
    removals::intend(&mut tx, &[(Doomed { subject, reason }, 2048)], Timestamp(1)).await.unwrap();
    removals::finish(&mut tx, 1, Timestamp(5_000_000)).await.unwrap();
    tx.commit().await.unwrap();
    let told = "removed at 1970-01-01T00:00:05Z: it was over for more than 90 days (logs_days in [retention])";
    assert_eq!(scene.admin.build_log("1").await.unwrap().removed.as_deref(), Some(told));
    let shown = scene.admin.build("1").await.unwrap().to_string();
    assert!(shown.contains(&format!("not kept  its log, {told}\n")), "{shown}");
    let list = scene.admin.removals(None, 9).await.unwrap().to_string();
    let row = "1970-01-01T00:00:05Z  log   2.0 KiB  build 1 (lib-1-1.f44)  it was over for more than 90 days";
    assert!(list.contains(row), "{list}");
}
