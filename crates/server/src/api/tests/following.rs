//! Streams: the ledger as it grows, and logs as they grow.

use std::time::Duration;

use model::clock::Clock as _;
use serde_json::json;
use store::{decisions, plans, steps};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::scene::Scene;
use crate::admin::tokens::Scope;

/// What does not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream that is read as it comes.
struct Reading {
    stream: TcpStream,
    text: String,
}

impl Reading {
    async fn of(scene: &Scene, path: &str, headers: &[&str]) -> Self {
        Self { stream: scene.send("GET", path, headers, "").await, text: String::new() }
    }

    /// Reads until a text has come, and returns what came up to its end.
    async fn until(&mut self, text: &str) -> String {
        let read = async {
            loop {
                if let Some(at) = self.text.find(text) {
                    let rest = self.text.split_off(at + text.len());
                    return std::mem::replace(&mut self.text, rest);
                }
                assert!(self.more().await, "the stream ended before {text:?}: {}", self.text);
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no {text:?} came"))
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65_536];
        let read = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        read > 0
    }

    /// Reads to the end.
    async fn rest(mut self) -> String {
        tokio::time::timeout(PATIENCE, async { while self.more().await {} })
            .await
            .expect("it ends");
        self.text
    }
}

/// The value of the last line of this name.
fn last<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    lines.next_back().unwrap_or_else(|| panic!("no {name} in {text}"))
}

async fn decide(scene: &Scene, sentence: &str) {
    let mut tx = scene.store.begin().await.unwrap();
    let decision = model::decision::Decision {
        kind: model::decision::DecisionKind::Passed,
        at: scene.clock.now(),
        event: None,
        plan: plans::id_of(&mut tx, scene.seed.plan).await.unwrap(),
        artifact: "rpms/lib#f44".parse().ok(),
        sentence: sentence.to_owned(),
        detail: json!(null),
    };
    decisions::append_many(&mut tx, &[decision]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_stream_tells_what_changes_and_can_be_resumed() {
    let scene = Scene::open().await;
    let path = "/api/v1/stream";
    let mut reading = Reading::of(&scene, path, &[]).await;
    let head = reading.until("\r\n\r\n").await;
    assert!(head.contains("text/event-stream"), "{head}");
    decide(&scene, "first").await;
    let first = reading.until("\n\n").await;
    assert_eq!(last(&first, "event"), "decision");
    let data: serde_json::Value = serde_json::from_str(last(&first, "data")).unwrap();
    assert_eq!((&data["sentence"], &data["plan"]), (&"first".into(), &scene.seed.plan.into()));
    let token = scene.token("ann", &[Scope::Plans]).await;
    let run = format!("/api/v1/plans/{}/cancel", scene.seed.waiting_plan);
    scene.post(&run, &token, &json!({"reason": "not wanted"})).await;
    let step = reading.until("\"state\":\"cancelled\"").await;
    assert!(step.contains("event: step"), "{step}");
    drop(reading);

    decide(&scene, "while nobody listened").await;
    let resume = format!("Last-Event-ID: {}", last(&first, "id"));
    let mut again = Reading::of(&scene, path, &[&resume]).await;
    let missed = again.until("while nobody listened").await;
    assert!(missed.contains("\"state\":\"cancelled\""), "{missed}");
    assert!(!missed.contains("\"sentence\":\"first\""), "{missed}");
}

#[tokio::test]
async fn a_stream_is_filtered_and_ends_if_nobody_wants_to_wait() {
    let scene = Scene::open().await;
    decide(&scene, "for lib").await;
    let ask = async |query: &str| {
        let path = format!("/api/v1/stream?follow=false&after=0{query}");
        Reading::of(&scene, &path, &[]).await.rest().await
    };
    let all = ask("").await;
    for name in ["decision", "plan", "build", "test-run"] {
        assert!(all.contains(&format!("event: {name}\n")), "no {name} in {all}");
    }
    let lib = ask("&artifact=rpms/lib%23f44").await;
    assert!(lib.contains("for lib") && !lib.contains("rpms/app#f44"), "{lib}");
    let plan = ask(&format!("&plan={}", scene.seed.plan)).await;
    assert!(plan.contains("for lib") && !plan.contains("event: build"), "{plan}");
    let nothing = ask("&artifact=rpms/nothing%23f44").await;
    assert!(!nothing.contains("event:"), "{nothing}");
}

#[tokio::test]
async fn who_missed_something_is_told_so() {
    let scene = Scene::open().await;
    let mut tx = scene.store.begin().await.unwrap();
    store::changes::forget(&mut tx, 3).await.unwrap();
    tx.commit().await.unwrap();
    for lost in ["1", "999999", "7.7"] {
        let path = format!("/api/v1/stream?follow=false&after={lost}");
        let text = Reading::of(&scene, &path, &[]).await.rest().await;
        assert!(text.contains("event: reset\n"), "{lost}: {text}");
        assert!(!text.contains("event: build"), "{lost}: {text}");
    }
}

#[tokio::test]
async fn streams_hold_up_no_stop() {
    let scene = Scene::open().await;
    let mut reading = Reading::of(&scene, "/api/v1/stream", &[]).await;
    reading.until("\r\n\r\n").await;
    let log = format!("/api/v1/builds/{}/log?follow=true", scene.seed.running_build);
    let mut log = Reading::of(&scene, &log, &[]).await;
    log.until("\r\n\r\n").await;
    scene.stop.send(true).unwrap();
    tokio::time::timeout(PATIENCE, scene.task).await.expect("it stops").unwrap();
    assert_eq!((reading.rest().await, log.rest().await), (String::new(), String::new()));
}

#[tokio::test]
async fn a_log_is_followed_until_its_build_ends() {
    let scene = Scene::open().await;
    let number = scene.seed.running_build;
    let path = format!("/api/v1/builds/{number}/log");
    assert_eq!(scene.get(&path).await.problem().0, 404);
    let mut log = Reading::of(&scene, &format!("{path}?follow=true&from=3"), &[]).await;
    log.until("\r\n\r\n").await;
    let file = scene.admin.build_log(&number.to_string()).await.unwrap().path;
    std::fs::write(&file, "one two").unwrap();
    log.until(" two").await;
    assert_eq!(scene.get(&path).await.headers["x-log-ended"], "false");
    assert_eq!(scene.get(&format!("{path}?from=4")).await.body, "two");
    assert_eq!(scene.get(&format!("{path}?from=400")).await.body, "");
    std::fs::write(&file, "one two three").unwrap();
    let mut tx = scene.store.begin().await.unwrap();
    let mut build = store::builds::by_number(&mut tx, number).await.unwrap().unwrap();
    let at = scene.clock.now();
    build.state = model::build::BuildState::Cancelled { reason: "enough".to_owned(), at };
    store::builds::update(&mut tx, &build, at).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(log.rest().await, " three");
    assert_eq!(scene.get(&path).await.headers["x-log-ended"], "true");
}

/// A step that enters a state is told with its plan and its place in it.
#[tokio::test]
async fn steps_are_told_with_their_place() {
    let scene = Scene::open().await;
    let mut reading =
        Reading::of(&scene, &format!("/api/v1/stream?plan={}", scene.seed.plan), &[]).await;
    reading.until("\r\n\r\n").await;
    let mut tx = scene.store.begin().await.unwrap();
    let plan = plans::by_number(&mut tx, scene.seed.plan).await.unwrap().unwrap();
    let mut step = steps::of_plan(&mut tx, plan.plan.id).await.unwrap().swap_remove(2);
    step.state = model::step::StepState::Unneeded;
    steps::update(&mut tx, &step).await.unwrap();
    tx.commit().await.unwrap();
    let event = reading.until("\n\n").await;
    let data: serde_json::Value = serde_json::from_str(last(&event, "data")).unwrap();
    assert_eq!(
        (last(&event, "event"), &data["number"], &data["state"]),
        ("step", &2.into(), &"unneeded".into())
    );
}
