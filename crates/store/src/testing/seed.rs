//! A small distribution in every state there is: for whoever shows what is stored, in tests and benches.
//!
//! Values are read from JSON as the database and the API have it: a kind of thing that is added is added here in a line.

mod shipped;

use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{Build, BuildOutput, BuildState, FacetsRef, Flavour, Inputs};
use model::clock::Timestamp;
use model::decision::Decision;
use model::digest::Digest;
use model::edge::Edge;
use model::event::{Event, EventState};
use model::facet::PackageFacets;
use model::gate::Waiver;
use model::hold::Hold;
use model::id::{BuildId, EventId, PlanId, TestRunId};
use model::message::Message;
use model::plan::{Plan, PlannedStep, Unit};
use model::publication::{Generation, PublishedBuild};
use model::reason::Reason;
use model::step::{Step, StepState};
use model::test::{TestResult, TestRun};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::builds::{Fence, NewBuild, Reservation};
use crate::error::Result;
use crate::refs::Move;
use crate::{
    Store, Tx, builds, decisions, edges, events, holds, inbox, plans, publications, refs, results,
    sets, test_runs, waivers,
};

pub use shipped::image;

/// What was stored, by the public numbers that tests ask for.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// A plan whose steps are in every state, for every reason.
    pub plan: i64,
    /// A plan that waits for its start.
    pub waiting_plan: i64,
    /// A plan that waits for a person to allow it.
    pub proposed_plan: i64,
    /// The published build of `rpms/lib#f44`, with facets.
    pub old_build: i64,
    /// The newest build of it, with other facets.
    pub new_build: i64,
    /// A build that failed.
    pub failed_build: i64,
    /// A build that runs.
    pub running_build: i64,
    /// A commit that plans answer.
    pub event: i64,
    /// A waiver in force.
    pub waiver: i64,
    /// A sign-off.
    pub sign_off: i64,
    /// A freeze in force.
    pub hold: i64,
}

/// The lines of the ledger have a beginning: 2026-07-01.
const BEGINNING: Timestamp = Timestamp(1_782_864_000_000_000);

fn at(minute: u64) -> Timestamp {
    BEGINNING + Duration::from_secs(60 * minute)
}

fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it is written as it is stored")
}

fn key(text: &str) -> ArtifactKey {
    text.parse().expect("a key")
}

fn commit(number: u32) -> CommitId {
    format!("{number:040x}").parse().expect("a commit")
}

/// Stores the distribution.
///
/// # Errors
/// What the database says.
///
/// # Panics
/// When a value here is not written as it is stored any more.
pub async fn seed(store: &Store) -> Result<Seed> {
    let mut tx = store.begin().await?;
    let mut seed = Seed::default();
    sources(&mut tx).await?;
    seed.event = happenings(&mut tx).await?;
    packages(&mut tx, &mut seed).await?;
    shipped::all(&mut tx).await?;
    publish(&mut tx).await?;
    tests(&mut tx).await?;
    seed.plan = plan(&mut tx, 1, &every_state(), (at(60), json!({"kind": "real"}))).await?;
    // It starts in the year 2100.
    let rebuild = json!({"state": "rebuild"});
    let step = ("rpms/app#f44".to_owned(), rebuild, requested());
    let start = Timestamp(4_102_444_800_000_000);
    let steps = [step];
    let dry_run = json!({"kind": "dry-run", "rules": ["try-it"]});
    plan(&mut tx, 4, &steps, (start, dry_run)).await?;
    let proposed = json!({"kind": "proposed", "rule": "ask-first", "limit": 0});
    seed.proposed_plan = plan(&mut tx, 3, &steps, (start, proposed)).await?;
    seed.waiting_plan = plan(&mut tx, 2, &steps, (start, json!({"kind": "real"}))).await?;
    people(&mut tx, &mut seed).await?;
    ledger(&mut tx).await?;
    tx.commit().await?;
    Ok(seed)
}

async fn sources(tx: &mut Tx) -> Result<()> {
    let artifacts =
        ["rpms/base#f44", "rpms/lib#f44", "rpms/app#f44", "rpms/lib#f45", "rpms/gone#f44"];
    let shipped = ["containers/base-image#f44", "containers/web#f44", "containers/new#f44"];
    for artifact in artifacts.into_iter().chain(shipped).chain(["composes/server#f44"]) {
        moved(tx, artifact, (None, Some(commit(1))), 1).await?;
    }
    moved(tx, "rpms/lib#f44", (Some(commit(1)), Some(commit(2))), 2).await?;
    moved(tx, "rpms/gone#f44", (Some(commit(1)), None), 3).await?;
    let edge = |dependent: &str, dependency: &str, kind: &str, evidence: Value| -> Edge {
        let package = key(dependency).name.to_string();
        read(
            json!({"dependent": dependent, "dependency": dependency, "kind": kind, "package": package, "evidence": evidence}),
        )
    };
    let spec = json!({"spec": {"commit": commit(1), "capability": "lib >= 1"}});
    let requires = json!({"requires": {"build": id::<BuildId>(1), "package": "app", "capability": "libz.so.1()(64bit)"}});
    let app = [
        edge("rpms/app#f44", "rpms/lib#f44", "build-requires", spec.clone()),
        edge("rpms/app#f44", "rpms/lib#f44", "requires", requires),
        edge(
            "rpms/app#f44",
            "rpms/base#f44",
            "buildroot",
            json!({"buildroot": {"build": id::<BuildId>(1)}}),
        ),
    ];
    edges::replace_for(tx, &key("rpms/app#f44"), &app, false).await?;
    let web = [
        edge(
            "containers/web#f44",
            "rpms/app#f44",
            "contains",
            json!({"contents": {"build": id::<BuildId>(1)}}),
        ),
        edge("containers/web#f44", "containers/base-image#f44", "layered-on", spec),
    ];
    edges::replace_for(tx, &key("containers/web#f44"), &web, true).await?;
    Ok(())
}

async fn moved(
    tx: &mut Tx,
    artifact: &str,
    (previous, commit): (Option<CommitId>, Option<CommitId>),
    minute: u64,
) -> Result<()> {
    let event = commit.is_some().then(|| id(1));
    let moved =
        Move { artifact: key(artifact), commit, previous, forced: false, at: at(minute), event };
    refs::move_tip(tx, &moved).await.map(drop)
}

/// Gives the number of the first event.
async fn happenings(tx: &mut Tx) -> Result<i64> {
    let lib = "rpms/lib#f44";
    let happened: [(Value, EventState); 6] = [
        (
            json!({"kind": "committed", "artifact": lib, "commit": commit(2), "previous": commit(1),
                   "forced": false, "severity": "important", "subject": "Fix a crash"}),
            EventState::Planned,
        ),
        (
            json!({"kind": "branch-deleted", "artifact": "rpms/gone#f44", "previous": commit(1)}),
            EventState::Done,
        ),
        (
            json!({"kind": "requested", "artifact": "rpms/app#f44", "request": "rebuild", "by": "ann",
                   "reason": "to see", "severity": "none"}),
            EventState::Planned,
        ),
        (
            json!({"kind": "test-result", "artifact": lib, "nvr": "lib-1-1.f44", "case": "ci.it", "outcome": "PASSED"}),
            EventState::Done,
        ),
        (
            json!({"kind": "committed", "artifact": "rpms/base#f44", "commit": commit(3), "previous": null,
                   "forced": true, "severity": "none", "subject": ""}),
            EventState::Rejected,
        ),
        (
            json!({"kind": "time-elapsed", "artifact": lib, "rule": "nightly", "period": 20_000}),
            EventState::Done,
        ),
    ];
    let mut first = 0;
    for (number, (event, state)) in (1..).zip(happened) {
        let event_id: EventId = id(number);
        let event: Event = read(event);
        let recorded = events::insert(tx, event_id, &event, at(2)).await?;
        events::set_state(tx, &[event_id], EventState::New, state).await?;
        first = if number == 1 { recorded } else { first };
    }
    for (number, body) in ["{}", "7", "not even JSON"].into_iter().enumerate() {
        let (id, topic) = (format!("seed-{number}"), "millstream.request".to_owned());
        inbox::receive(tx, &Message { id, topic, body: body.to_owned() }, at(1)).await?;
    }
    Ok(first)
}

/// What a build came to.
enum End {
    Queued,
    Running,
    Made(Value, Vec<FacetsRef>),
    Failed(Value),
    Cancelled,
}

/// A build of an artifact at a version, with the id of its number.
async fn built(tx: &mut Tx, number: u128, artifact: &str, evr: &str, end: End) -> Result<Build> {
    let inputs: Inputs =
        read(json!({"buildroot": [{"nevra": "base-1-1.f44.x86_64", "digest": Digest::of("base"),
        "build": id::<BuildId>(1), "direct": true}]}));
    let artifact = key(artifact);
    let new = NewBuild {
        id: id(number),
        name: artifact.name.to_string(),
        commit: commit(if evr.starts_with('1') { 1 } else { 2 }),
        artifact,
        flavour: Flavour::Full,
        input: Digest::of(format!("input {number}")),
        evr: evr.parse().expect("a version"),
        dist: ".f44".to_owned(),
        snapshot: Digest::of("snapshot"),
        inputs: sets::put_json(tx, &inputs).await?,
        created: at(10 + u64::try_from(number).unwrap_or(0)),
    };
    let build = match builds::reserve(tx, &new).await? {
        Reservation::New(build) | Reservation::Known(build) => build,
        Reservation::Taken { nvr } => panic!("{nvr} is taken"),
    };
    let fence = Fence { build: build.id, owner: "seed".to_owned(), attempt: 1 };
    let state = match end {
        End::Queued => return Ok(build),
        End::Running => return builds::start(tx, &fence, at(40)).await,
        End::Made(product, facets) => {
            let output = BuildOutput { product: read(product), facets };
            let output = sets::put_json(tx, &output).await?;
            let (took, facets) = (Duration::from_millis(1_500), Digest::of(format!("{number}")));
            BuildState::Succeeded { took, at: at(50), output, facets }
        }
        End::Failed(failure) => BuildState::Failed { failure: read(failure), at: at(50) },
        End::Cancelled => {
            BuildState::Cancelled { reason: "nobody wants it".to_owned(), at: at(50) }
        }
    };
    builds::start(tx, &fence, at(40)).await?;
    builds::finish(tx, &fence, state, at(50)).await
}

fn package(name: &str, evr: &str) -> Value {
    json!({"nevra": format!("{name}-{evr}.x86_64"), "file": format!("{name}-{evr}.x86_64.rpm"),
           "digest": Digest::of(name), "size": 1_000, "provides": [], "requires": []})
}

fn made(names: &[&str], evr: &str) -> Value {
    let packages: Vec<Value> = names.iter().map(|name| package(name, evr)).collect();
    json!({"kind": "packages", "packages": packages, "source_package": "x.src.rpm", "build_requires": []})
}

async fn facets(tx: &mut Tx, package: &str, symbols: &[&str]) -> Result<Vec<FacetsRef>> {
    let facets: PackageFacets = read(json!({"package": package, "arch": "x86_64",
        "facets": {"abi": symbols, "files": ["/usr/lib64/lib.so.1 0755"]}}));
    let digest = sets::put_json(tx, &facets).await?;
    Ok(vec![FacetsRef { package: package.to_owned(), arch: "x86_64".to_owned(), digest }])
}

async fn packages(tx: &mut Tx, seed: &mut Seed) -> Result<()> {
    let none = Vec::new;
    built(tx, 1, "rpms/base#f44", "1-1.f44", End::Made(made(&["base"], "1-1.f44"), none())).await?;
    let old = facets(tx, "lib", &["lib.so.1 open FUNC", "lib.so.1 close FUNC"]).await?;
    let new = facets(tx, "lib", &["lib.so.1 open FUNC", "lib.so.1 read FUNC"]).await?;
    let lib = "rpms/lib#f44";
    let names = ["lib", "lib-devel"];
    let old = built(tx, 2, lib, "1-1.f44", End::Made(made(&names, "1-1.f44"), old)).await?;
    let new = built(tx, 3, lib, "2-1.f44", End::Made(made(&names, "2-1.f44"), new)).await?;
    (seed.old_build, seed.new_build) = (old.number, new.number);
    built(tx, 4, "rpms/app#f44", "1-1.f44", End::Made(made(&["app"], "1-1.f44"), none())).await?;
    let failure = json!({"kind": "failed", "message": "app.c:1:10: fatal error: lib.h: No such file", "line": 14});
    let failed = built(tx, 5, "rpms/app#f44", "2-1.f44", End::Failed(failure)).await?;
    seed.failed_build = failed.number;
    for (number, kind) in
        [(6, "unresolvable"), (7, "timed-out"), (8, "limit-exceeded"), (9, "errored")]
    {
        let failure = json!({"kind": kind, "message": kind, "line": null});
        built(tx, number, "rpms/app#f44", "2-1.f44", End::Failed(failure)).await?;
    }
    built(tx, 10, "rpms/app#f44", "2-1.f44", End::Cancelled).await?;
    built(tx, 11, "rpms/app#f44", "2-1.f44", End::Queued).await?;
    let running = built(tx, 12, "rpms/app#f44", "2-1.f44", End::Running).await?;
    seed.running_build = running.number;
    Ok(())
}

async fn publish(tx: &mut Tx) -> Result<()> {
    let published = [
        ("composes/server#f44", 30),
        ("containers/web#f44", 21),
        ("rpms/app#f44", 4),
        ("rpms/base#f44", 1),
        ("rpms/lib#f44", 2),
    ];
    let build = |(artifact, number): (&str, u128)| PublishedBuild {
        artifact: key(artifact),
        build: id(number),
    };
    let branch = key("rpms/lib#f44").branch;
    let generation = Generation {
        branch: branch.clone(),
        number: 1,
        plan: id(1),
        builds: published.map(build).to_vec(),
        at: at(55),
        switched: None,
    };
    publications::begin_generation(tx, &generation).await?;
    publications::mark_switched(tx, &branch, 1, at(56)).await
}

async fn tests(tx: &mut Tx) -> Result<()> {
    let states = [
        json!({"state": "queued"}),
        json!({"state": "running", "owner": "seed", "since": at(40)}),
        json!({"state": "finished", "at": at(41)}),
        json!({"state": "errored", "at": at(41), "failure": {"kind": "errored", "message": "no disk", "line": null}}),
    ];
    for (number, state) in (1u128..).zip(states) {
        let run: TestRun = read(
            json!({"id": id::<TestRunId>(number), "artifact": "rpms/lib#f44", "build": id::<BuildId>(2),
            "installed": Digest::of(number.to_string()), "snapshot": Digest::of("snapshot"), "with": [],
            "attempt": 1, "state": state, "created": at(39), "version": 1}),
        );
        test_runs::insert_or_find(tx, &run).await?;
    }
    let outcomes = ["QUEUED", "RUNNING", "PASSED", "INFO", "FAILED", "NEEDS_INSPECTION", "ERROR"];
    let result = |(number, outcome): (u128, &str)| -> TestResult {
        let run = (number % 2 == 0).then(|| id::<TestRunId>(3));
        read(
            json!({"id": id::<model::id::ResultId>(number), "run": run, "artifact": "rpms/lib#f44",
            "build": id::<BuildId>(2), "case": format!("tests.{number}"), "outcome": outcome, "note": "a line", "at": at(41)}),
        )
    };
    let list: Vec<TestResult> = (1..).zip(outcomes).map(result).collect();
    results::insert_many(tx, &list).await
}

fn requested() -> Value {
    json!({"why": "requested", "event": id::<EventId>(3), "by": "ann", "reason": "to see"})
}

/// Steps in every state, for every reason.
fn every_state() -> Vec<(String, Value, Value)> {
    let build: BuildId = id(3);
    let failure = json!({"kind": "failed", "message": "no such header", "line": 3});
    let kinds = [
        json!({"objection": "missing"}),
        json!({"objection": "queued"}),
        json!({"objection": "running"}),
        json!({"objection": "errored", "note": "no disk"}),
        json!({"objection": "failed", "note": "it crashed"}),
        json!({"objection": "removed"}),
        json!({"objection": "unsigned"}),
        json!({"objection": "unsettled", "facets": ["abi of lib"]}),
    ];
    let objection = |mut kind: Value| {
        kind["artifact"] = json!("rpms/lib#f44");
        kind["case"] = json!("tests.hello");
        kind
    };
    let objections: Vec<Value> = kinds.into_iter().map(objection).collect();
    let states = [
        json!({"state": "waiting"}),
        json!({"state": "unneeded"}),
        json!({"state": "rebuild"}),
        json!({"state": "building", "build": id::<BuildId>(12)}),
        json!({"state": "built", "build": build}),
        json!({"state": "passed", "build": build}),
        json!({"state": "published", "build": id::<BuildId>(2), "generation": 1}),
        json!({"state": "failed", "build": id::<BuildId>(5), "failure": failure}),
        json!({"state": "held", "build": build, "objections": objections}),
        json!({"state": "retest"}),
        json!({"state": "testing", "run": id::<TestRunId>(2)}),
        json!({"state": "retested", "run": id::<TestRunId>(3)}),
        json!({"state": "cancelled", "author": "ann", "because": "no need"}),
        json!({"state": "failed", "build": null, "failure": {"kind": "unresolvable", "message": "nothing provides x", "line": null}}),
    ];
    let reasons = every_reason();
    let name = |number: usize| match number {
        0 => "rpms/app#f44".to_owned(),
        8 => "rpms/lib#f44".to_owned(),
        number => format!("rpms/step{number:02}#f44"),
    };
    let step = |(number, state): (usize, Value)| {
        (name(number), state, reasons[number % reasons.len()].clone())
    };
    states.into_iter().enumerate().map(step).collect()
}

fn every_reason() -> Vec<Value> {
    let event: EventId = id(1);
    let edge = json!({"dependent": "rpms/app#f44", "dependency": "rpms/lib#f44", "kind": "requires", "package": "lib",
        "evidence": {"requires": {"build": id::<BuildId>(1), "package": "app", "capability": "lib"}}});
    let change =
        json!({"package": "lib", "facet": "abi", "added": ["lib.so.1 read FUNC"], "removed": []});
    let changed = json!({"why": "source-changed", "event": event, "commit": commit(2), "subject": "Fix a crash"});
    let stops: Vec<Value> =
        every_stop().into_iter().map(|because| json!({"edge": edge, "because": because})).collect();
    vec![
        json!({"why": "reached", "edge": edge}),
        json!({"why": "nothing-heard", "stops": stops}),
        json!({"why": "listens", "edge": edge, "change": change}),
        requested(),
        json!({"why": "replaced", "edge": edge}),
        json!({"why": "missing", "event": event, "by": "composes/server#f44"}),
        json!({"why": "requirement-lost", "edge": edge, "package": "app", "requirement": "lib = 1"}),
        json!({"why": "bootstrapped", "because": changed}),
        changed,
        json!({"why": "uses-at-run-time", "edge": edge, "change": change}),
        json!({"why": "frozen", "author": "ann", "reason": "not now"}),
        json!({"why": "retired"}),
        json!({"why": "nothing-heard", "stops": []}),
    ]
}

fn every_stop() -> Vec<Value> {
    let change =
        json!({"package": "lib", "facet": "files", "added": [], "removed": ["/usr/share/x 0644"]});
    vec![
        json!({"stop": "package-unchanged"}),
        json!({"stop": "not-listening", "changed": [change]}),
        json!({"stop": "dependency-unneeded"}),
        json!({"stop": "frozen", "author": "ann", "reason": "not now"}),
        json!({"stop": "retired"}),
        json!({"stop": "never-published"}),
        json!({"stop": "rule", "rule": "leave-it", "sentence": "not at night"}),
    ]
}

/// A plan for a commit to `rpms/lib#f44`: artifact, state and reason of each step.
async fn plan(
    tx: &mut Tx,
    number: u128,
    list: &[(String, Value, Value)],
    (start, mode): (Timestamp, Value),
) -> Result<i64> {
    let plan_id: PlanId = id(number);
    let reason = |index: usize| -> Reason { read(list[index].2.clone()) };
    let planned = |(index, (artifact, ..)): (usize, &(String, Value, Value))| PlannedStep {
        rule: None,
        hours: None,
        not_before: None,
        artifact: key(artifact),
        commit: commit(2),
        root: None,
        reason: reason(index),
        replaces: Some(id(2)),
        tier: u32::try_from(index / 4).unwrap_or(0),
        unit: index,
        predicted: Duration::from_secs(90),
    };
    let stop = |because: Value| {
        let edge = every_reason()[0]["edge"].clone();
        read(json!({"edge": edge, "because": because}))
    };
    let plan = Plan {
        approval: None,
        mode: read(mode),
        id: plan_id,
        parent: None,
        branch: key("rpms/lib#f44").branch,
        events: vec![id(1)],
        severity: read(json!("important")),
        created: at(59),
        origin: at(59),
        start,
        steps: list.iter().enumerate().map(planned).collect(),
        units: (0..list.len()).map(|index| Unit { members: vec![index], max_rounds: 1 }).collect(),
        edges: Vec::new(),
        stops: every_stop().into_iter().map(stop).collect(),
        predicted: Duration::from_secs(300),
    };
    let step = |(index, (_, state, _)): (usize, &(String, Value, Value))| Step {
        plan: plan_id,
        index,
        state: read::<StepState>(state.clone()),
        reason: reason(index),
        round: 1,
        previous: None,
        since: at(60),
        version: 1,
    };
    let steps: Vec<Step> = list.iter().enumerate().map(step).collect();
    plans::insert(tx, &plan, &steps).await
}

async fn people(tx: &mut Tx, seed: &mut Seed) -> Result<()> {
    let waiver = |number: u128, kind: &str, nvr: Option<&str>, end: Option<Timestamp>| -> Waiver {
        read(
            json!({"id": id::<model::id::WaiverId>(number), "artifact": "rpms/lib#f44", "case": "tests.hello", "nvr": nvr,
            "kind": kind, "author": "ann", "reason": "it is known", "at": at(58), "end": end}),
        )
    };
    seed.waiver = waivers::insert(tx, &waiver(1, "waiver", Some("lib-1-1.f44"), None)).await?;
    seed.sign_off = waivers::insert(tx, &waiver(2, "sign-off", None, Some(at(59)))).await?;
    let hold = |number: u128,
                kind: &str,
                end: Option<Timestamp>,
                released: Option<Timestamp>|
     -> Hold {
        read(
            json!({"id": id::<model::id::HoldId>(number), "kind": kind, "artifact": "rpms/base#f44", "author": "ann",
            "reason": "not now", "at": at(57), "end": end, "released": released}),
        )
    };
    seed.hold = holds::insert(tx, &hold(1, "freeze", None, None)).await?;
    holds::insert(tx, &hold(2, "hold", Some(at(58)), None)).await?;
    holds::insert(tx, &hold(3, "hold", None, Some(at(58)))).await?;
    Ok(())
}

async fn ledger(tx: &mut Tx) -> Result<()> {
    let kinds = [
        "rejected",
        "ignored",
        "planned",
        "merged",
        "rebuild",
        "retest",
        "unneeded",
        "stopped",
        "build",
        "failed",
        "passed",
        "held",
        "published",
        "publish-refused",
        "notify",
        "proposed",
        "intervened",
    ];
    let details = [
        json!(null),
        json!({"verdict": "open", "waived": [], "ungated": true}),
        json!(["a"]),
        json!("text"),
    ];
    let line = |(number, kind): (usize, &str)| -> Decision {
        let artifact = (number % 2 == 0).then_some("rpms/lib#f44");
        let plan = (number % 3 > 0).then(|| id::<PlanId>(1));
        read(
            json!({"kind": kind, "at": at(60), "event": id::<EventId>(1), "plan": plan, "artifact": artifact,
            "sentence": format!("so it was {kind}"), "detail": details[number % details.len()]}),
        )
    };
    let lines: Vec<Decision> = kinds.into_iter().enumerate().map(line).collect();
    decisions::append_many(tx, &lines).await
}
