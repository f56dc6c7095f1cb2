//! Every listing of the API, and what is asked most beside them, with ten thousand plans stored.
//!
//! `cargo bench -p server --bench listings` ; MILLSTREAM_BENCH_PLANS changes how many. Each of the plans has 20 steps of
//! 34,000 artifacts, an event, two builds, three results and five decisions; one in a hundred is under way. A listing is
//! asked for over one connection of the real server on SQLite, its first page and one from the middle.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the clock, and ends at the first surprise"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::artifact::{ArtifactKey, CommitId};
use model::build::{BuildState, Flavour};
use model::clock::Timestamp;
use model::decision::Decision;
use model::digest::Digest;
use model::event::Event;
use model::id::{BuildId, EventId, PlanId};
use model::plan::{Plan, PlannedStep, Unit};
use model::reason::Reason;
use model::step::{Step, StepState};
use model::test::TestResult;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server::Stage;
use server::config::Config;
use store::builds::{Fence, NewBuild, Reservation};
use store::{Store, Tx, builds, decisions, events, plans, refs, results};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

const ARTIFACTS: usize = 34_000;
const STEPS: usize = 20;
/// How often each listing is asked for.
const TIMES: usize = 100;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let plans = std::env::var("MILLSTREAM_BENCH_PLANS").ok();
    let plans = plans.and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().expect("a folder for the run");
    let config = Config {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        api: server::config::Api { requests_per_second: 0, ..Default::default() },
        ..Config::default()
    };
    println!("filling the store with {plans} plans");
    let store = Store::open(&config.db_url()).await.expect("the store opens");
    fill(&store, plans).await;
    store.close().await;
    // A stage that moves nothing.
    let server = server::run::start(config, &[Stage::Outbox]).await.expect("the server starts");
    let middle = plans / 2;
    for path in [
        "/events".to_owned(),
        format!("/events?before={middle}"),
        "/events?kind=requested&state=planned".to_owned(),
        "/artifacts".to_owned(),
        "/artifacts?search=17".to_owned(),
        "/artifacts?search=nothing".to_owned(),
        "/artifacts/rpms/package00017/f44".to_owned(),
        "/plans".to_owned(),
        "/plans?limit=200".to_owned(),
        format!("/plans?before={middle}"),
        "/plans?open=true".to_owned(),
        format!("/plans/{middle}"),
        "/steps".to_owned(),
        "/steps?state=waiting".to_owned(),
        "/steps?artifact=rpms/package00017%23f44".to_owned(),
        "/builds".to_owned(),
        "/builds?state=failed".to_owned(),
        "/builds?artifact=rpms/package00017%23f44".to_owned(),
        "/results".to_owned(),
        "/decisions".to_owned(),
        "/decisions?kind=passed".to_owned(),
        "/decisions?artifact=rpms/package00017%23f44".to_owned(),
        "/waivers".to_owned(),
        "/holds".to_owned(),
        "/images".to_owned(),
        "/composes".to_owned(),
        "/rules".to_owned(),
        "/status".to_owned(),
        "/where/package00017".to_owned(),
        "/stream?follow=false".to_owned(),
    ] {
        measure(server.address, &path).await;
    }
    server.stop().await;
}

async fn measure(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut times = Vec::with_capacity(TIMES);
    let mut size = 0;
    for _ in 0..TIMES {
        let clock = Instant::now();
        size = ask(&mut stream, path).await;
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (median, p95, most) = (at(0.5), at(0.95), at(1.0));
    println!(
        "{path:45} {size:>8} bytes, median {median:6.2} ms, p95 {p95:6.2} ms, most {most:6.2} ms"
    );
}

/// Asks once, and says how long the answer is.
async fn ask(stream: &mut TcpStream, path: &str) -> usize {
    let request = format!("GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut answer = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = stream.read(&mut buffer).await.expect("an answer");
        assert!(read > 0, "the server hung up");
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {text}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let is_whole = match length.map(|length| length.parse().expect("a length")) {
            Some(length) => body.len() >= length,
            // A stream in pieces ends with an empty one.
            None => body.ends_with("0\r\n\r\n"),
        };
        if is_whole {
            return body.len();
        }
    }
}

fn key(number: usize) -> ArtifactKey {
    format!("rpms/package{:05}#f44", number % ARTIFACTS).parse().expect("a valid key")
}

fn commit(number: usize) -> CommitId {
    format!("{number:040x}").parse().expect("a valid commit")
}

fn id<T: From<Uuid>>(number: usize) -> T {
    T::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128))
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it is written as it is stored")
}

async fn fill(store: &Store, plans: usize) {
    for chunk in (0..ARTIFACTS).collect::<Vec<_>>().chunks(1000) {
        let mut tx = store.begin().await.expect("a transaction");
        for &number in chunk {
            let moved = refs::Move {
                artifact: key(number),
                commit: Some(commit(number)),
                previous: None,
                forced: false,
                at: Timestamp(1),
                event: None,
            };
            refs::move_tip(&mut tx, &moved).await.expect("a tip");
        }
        tx.commit().await.expect("a commit");
    }
    for chunk in (0..plans).collect::<Vec<_>>().chunks(200) {
        let mut tx = store.begin().await.expect("a transaction");
        for &number in chunk {
            story(&mut tx, number).await;
        }
        tx.commit().await.expect("a commit");
    }
}

/// An event, its plan, and what became of it.
async fn story(tx: &mut Tx, number: usize) {
    let at = Timestamp(1_782_864_000_000_000) + Duration::from_secs(60 * number as u64);
    let event: Event = read(
        json!({"kind": "requested", "artifact": key(number), "request": "rebuild", "by": "bench",
        "reason": "to measure", "severity": "none"}),
    );
    events::insert(tx, id::<EventId>(number), &event, at).await.expect("an event");
    let state = model::event::EventState::Planned;
    events::set_state(tx, &[id(number)], model::event::EventState::New, state)
        .await
        .expect("its state");
    plan(tx, number, at).await;
    for (place, outcome) in ["succeeded", "failed"].into_iter().enumerate() {
        build(tx, (number, 2 * number + place), outcome, at).await;
    }
    let kinds = ["planned", "rebuild", "build", "passed", "published"];
    let line = |kind: &str| -> Decision {
        read(
            json!({"kind": kind, "at": at, "event": id::<EventId>(number), "plan": id::<PlanId>(number),
            "artifact": key(number), "sentence": format!("it was {kind}, as everything is sooner or later"), "detail": null}),
        )
    };
    let lines: Vec<Decision> = kinds.into_iter().map(line).collect();
    decisions::append_many(tx, &lines).await.expect("decisions");
}

async fn plan(tx: &mut Tx, number: usize, at: Timestamp) {
    let event: EventId = id(number);
    let reason: Reason =
        read(json!({"why": "requested", "event": event, "by": "bench", "reason": "to measure"}));
    let is_open = number.is_multiple_of(100);
    let planned = |index: usize| PlannedStep {
        rule: None,
        hours: None,
        not_before: None,
        artifact: key(number + index * 1_009),
        commit: commit(number),
        root: None,
        reason: reason.clone(),
        replaces: None,
        tier: 0,
        unit: index,
        predicted: Duration::from_secs(60),
    };
    let plan = Plan {
        approval: None,
        mode: model::rule::PlanMode::default(),
        id: id(number),
        parent: None,
        branch: key(0).branch,
        events: vec![event],
        severity: model::event::Severity::None,
        created: at,
        origin: at,
        start: at,
        steps: (0..STEPS).map(planned).collect(),
        units: (0..STEPS).map(|index| Unit { members: vec![index], max_rounds: 1 }).collect(),
        edges: Vec::new(),
        stops: Vec::new(),
        predicted: Duration::from_secs(300),
    };
    let state = |index: usize| match (is_open, index % 2) {
        (true, 0) => StepState::Waiting,
        (true, _) => StepState::Rebuild,
        (false, 0) => StepState::Unneeded,
        (false, _) => StepState::Published { build: id::<BuildId>(2 * number), generation: 1 },
    };
    let step = |index: usize| Step {
        plan: plan.id,
        index,
        state: state(index),
        reason: reason.clone(),
        round: 1,
        previous: None,
        since: at,
        version: 1,
    };
    let steps: Vec<Step> = (0..STEPS).map(step).collect();
    plans::insert(tx, &plan, &steps).await.expect("a plan");
}

async fn build(tx: &mut Tx, (story, number): (usize, usize), outcome: &str, at: Timestamp) {
    let new = NewBuild {
        id: id(number),
        name: key(story).name.to_string(),
        artifact: key(story),
        commit: commit(story),
        flavour: Flavour::Full,
        input: Digest::of(number.to_string()),
        evr: format!("1.{story}-1.f44").parse().expect("a version"),
        dist: ".f44".to_owned(),
        snapshot: Digest::of("snapshot"),
        inputs: Digest::of("inputs"),
        created: at,
    };
    let reserved = builds::reserve(tx, &new).await.expect("a build");
    let Reservation::New(build) = reserved else { panic!("there was one") };
    let fence = Fence { build: build.id, owner: "bench".to_owned(), attempt: 1 };
    builds::start(tx, &fence, at).await.expect("it starts");
    let state: BuildState = match outcome {
        "failed" => read(json!({"state": "failed", "at": at,
            "failure": {"kind": "failed", "message": "file.c:1:10: fatal error: x.h: No such file", "line": 12}})),
        _ => BuildState::Succeeded {
            took: Duration::from_secs(5),
            at,
            output: Digest::of("output"),
            facets: Digest::of("facets"),
        },
    };
    builds::finish(tx, &fence, state, at).await.expect("it ends");
    let result = |case: usize| -> TestResult {
        read(
            json!({"id": id::<model::id::ResultId>(3 * number + case), "run": null, "artifact": key(story),
            "build": build.id, "case": format!("tests.{case}"), "outcome": "PASSED", "note": "", "at": at}),
        )
    };
    let list: Vec<TestResult> = (0..3).map(result).collect();
    results::insert_many(tx, &list).await.expect("results");
}
