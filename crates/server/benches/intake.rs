//! From a message at the socket to a committed plan, at a steady rate, with the real server on SQLite.
//!
//! `cargo bench -p server --bench intake` ; MILLSTREAM_BENCH_SECONDS and MILLSTREAM_BENCH_RATE change the run;
//! with MILLSTREAM_BENCH_STATEMENTS every statement is counted, which slows the run down.
//! Each message asks for the rebuild of another artifact out of 34,000 that have ten dependencies each. The server
//! acknowledges after its commit (WAL, `synchronous=FULL`); a plan counts as there when another connection sees it.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the clock, and ends at the first surprise"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::source::{Settings, Source, SourceContent};
use server::config::{Config, Planning};
use store::refs::Move;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[path = "intake/statements.rs"]
mod statements;

const ARTIFACTS: usize = 34_000;
const CONNECTIONS: usize = 16;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (seconds, rate) =
        (number("MILLSTREAM_BENCH_SECONDS", 60), number("MILLSTREAM_BENCH_RATE", 500));
    let counts = std::env::var_os("MILLSTREAM_BENCH_STATEMENTS").is_some();
    if counts {
        statements::Statements::listen();
    }
    let folder = tempfile::tempdir().expect("a folder for the run");
    let config = config(folder.path());
    println!("filling the store with {ARTIFACTS} artifacts");
    fill(&config).await;
    let store = store::Store::open(&config.db_url()).await.expect("the store opens");
    let server = server::run::start(config, &[]).await.expect("the server starts");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let watcher = tokio::spawn(watch(store.clone(), stopped));
    statements::begin();
    let before = Processors::now();
    let sent = load(server.address, seconds, rate).await;
    let stolen = Processors::now().stolen_since(before);
    let counted = statements::lines(sent.len());
    let planned = wait_for_plans(&store, sent.len()).await;
    stop.send(true).expect("the watcher watches");
    let planned = committed(planned, &watcher.await.expect("the watcher ends well"));
    report(&sent, &planned, rate);
    println!("the host took {:.1} % of the processors' time meanwhile", stolen * 100.0);
    if counts {
        counted.iter().for_each(|line| println!("{line}"));
    }
    server.stop().await;
}

fn config(data: &std::path::Path) -> Config {
    let hour = Duration::from_secs(3600);
    Config {
        data: data.to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        // Nothing is built here: the plans are made and wait.
        planning: Planning {
            debounce_seconds: hour,
            debounce_at_most_seconds: hour,
            ..Planning::default()
        },
        ..Config::default()
    }
}

fn key(number: usize) -> ArtifactKey {
    format!("rpms/package{number:05}#f44").parse().expect("a valid key")
}

fn commit(number: usize) -> model::artifact::CommitId {
    format!("{number:040x}").parse().expect("a valid commit")
}

/// Artifacts with their sources; the upper half depends on the lower half, so that requests for the upper half stay apart.
async fn fill(config: &Config) {
    let store = store::Store::open(&config.db_url()).await.expect("the store opens");
    for chunk in (0..ARTIFACTS).collect::<Vec<_>>().chunks(1000) {
        let mut tx = store.begin().await.expect("a transaction");
        for &number in chunk {
            let artifact = key(number);
            let moved = Move {
                artifact: artifact.clone(),
                commit: Some(commit(number)),
                previous: None,
                forced: false,
                at: Timestamp(1),
                event: None,
            };
            store::refs::move_tip(&mut tx, &moved).await.expect("a tip");
            store::sources::put(&mut tx, &source(&artifact, number)).await.expect("a source");
            let edges = edges(&artifact, number);
            store::edges::replace_for(&mut tx, &artifact, &edges, true).await.expect("edges");
        }
        tx.commit().await.expect("a commit");
    }
    store.close().await;
}

fn source(artifact: &ArtifactKey, number: usize) -> Source {
    let content = SourceContent {
        file: format!("{}.spec", artifact.name),
        name: artifact.name.to_string(),
        evr: "1-1.f44".parse().expect("a valid version"),
        bumpable: true,
        build_requires: Vec::new(),
        bootstrap: None,
        packages: Vec::new(),
        recipe: model::source::Recipe::Package,
        tests: Vec::new(),
        settings: Settings::default(),
        gating: None,
        time: 0,
    };
    Source { artifact: artifact.clone(), commit: commit(number), content: Ok(content) }
}

fn edges(artifact: &ArtifactKey, number: usize) -> Vec<Edge> {
    // Dependencies lie below every artifact that is asked for.
    let foundation = 1000;
    if number < foundation {
        return Vec::new();
    }
    let dependency = |step: usize| (number * 31 + step * 97) % foundation;
    let mut edges: Vec<Edge> = (0..10)
        .map(|step| Edge {
            dependent: artifact.clone(),
            dependency: key(dependency(step)),
            kind: EdgeKind::BuildRequires,
            package: format!("package{:05}-devel", dependency(step)),
            evidence: Evidence::Spec { commit: commit(number), capability: "x".to_owned() },
        })
        .collect();
    edges.sort();
    edges.dedup();
    edges
}

type Sent = HashMap<String, (i64, Duration)>;

/// Sends at a steady rate and remembers when each message left and how long its answer took.
async fn load(address: std::net::SocketAddr, seconds: u64, rate: u64) -> Sent {
    let total = usize::try_from(seconds * rate).expect("a sane count").min(ARTIFACTS - 1000);
    println!("sending {total} messages at {rate} a second to {address}");
    let sent = Arc::new(Mutex::new(HashMap::with_capacity(total)));
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let sent = Arc::clone(&sent);
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            for number in (connection..total).step_by(CONNECTIONS) {
                let due = Duration::from_secs_f64(number as f64 / rate as f64);
                tokio::time::sleep_until((began + due).into()).await;
                let at = now();
                let clock = Instant::now();
                request(&mut stream, number).await;
                sent.lock()
                    .expect("the map")
                    .insert(format!("bench-{number}"), (at, clock.elapsed()));
            }
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended.expect("a sender ends well");
    }
    Arc::into_inner(sent).expect("no other owner").into_inner().expect("the map")
}

async fn request(stream: &mut TcpStream, number: usize) {
    let body = serde_json::json!({
        "id": format!("bench-{number}"),
        "topic": "millstream.request",
        "body": {"artifact": key(1000 + number), "request": "rebuild", "by": "bench", "reason": format!("bench-{number}")},
    })
    .to_string();
    let text = format!(
        "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.expect("the request is sent");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // The answer has a length; its end is the end of its small JSON body.
    while !answer.ends_with(b"}") {
        let read = stream.read(&mut buffer).await.expect("an answer");
        assert!(read > 0, "the server hung up");
        answer.extend_from_slice(&buffer[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer));
}

/// Watches from outside which plans are committed: when each number was first seen.
async fn watch(
    store: store::Store,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> Vec<(i64, i64)> {
    let mut seen: Vec<(i64, i64)> = Vec::new();
    let mut reader = store.read().await.expect("a connection");
    while !*stop.borrow() {
        let newest = store::plans::list(&mut reader, None, false, store::Page::first(1)).await;
        let number = newest.expect("the newest plan").first().map_or(0, |head| head.number);
        if seen.last().is_none_or(|(known, _)| *known < number) {
            seen.push((number, now()));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
            _ = stop.changed() => {}
        }
    }
    seen
}

/// Which plan answers which message, once all are there.
async fn wait_for_plans(store: &store::Store, wanted: usize) -> HashMap<String, i64> {
    loop {
        let mut reader = store.read().await.expect("a connection");
        let mut numbers = HashMap::new();
        let mut page = store::Page::first(10_000);
        while let Some(last) = {
            let heads = store::plans::list(&mut reader, None, false, page).await.expect("plans");
            numbers.extend(heads.iter().map(|head| (head.id, head.number)));
            heads.last().map(|head| head.number)
        } {
            page = store::Page::before(last, 10_000);
        }
        let mut planned = HashMap::new();
        page = store::Page::first(10_000);
        loop {
            let found = store::decisions::list(&mut reader, &Default::default(), page)
                .await
                .expect("decisions");
            for decision in found.iter().map(|found| &found.decision) {
                let reason = decision.detail.get("reason").and_then(|reason| reason.as_str());
                // A plan that came after the list of plans is found in the next round.
                let number = decision.plan.and_then(|plan| numbers.get(&plan));
                if let (Some(reason), Some(number)) = (reason, number) {
                    planned.insert(reason.to_owned(), *number);
                }
            }
            match found.last() {
                Some(last) => page = store::Page::before(last.number, 10_000),
                None => break,
            }
        }
        if planned.len() >= wanted {
            return planned;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// When each message's plan could first be seen from outside.
fn committed(planned: HashMap<String, i64>, seen: &[(i64, i64)]) -> HashMap<String, i64> {
    let when = |number: i64| seen[seen.partition_point(|(known, _)| *known < number)].1;
    planned.into_iter().map(|(message, number)| (message, when(number))).collect()
}

/// What the processors did since the machine started, in ticks: `cpu` of `/proc/stat`, as proc(5) tells.
#[derive(Clone, Copy)]
struct Processors {
    all: u64,
    /// Taken by the host while there was work to do.
    stolen: u64,
}

impl Processors {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/stat").expect("a Linux machine");
        let first = text.lines().next().expect("a first line");
        let ticks: Vec<u64> =
            first.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        Self { all: ticks.iter().sum(), stolen: ticks[7] }
    }

    fn stolen_since(self, before: Self) -> f64 {
        (self.stolen - before.stolen) as f64 / (self.all - before.all).max(1) as f64
    }
}

fn report(sent: &Sent, planned: &HashMap<String, i64>, rate: u64) {
    let mut acknowledged: Vec<f64> =
        sent.values().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
    let mut committed: Vec<f64> =
        sent.iter().map(|(id, (at, _))| (planned[id] - at) as f64 / 1e3).collect();
    println!("{} messages at {rate} a second", sent.len());
    for (name, values) in [("acknowledged", &mut acknowledged), ("plan committed", &mut committed)]
    {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        println!(
            "{name:>15}: median {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
    }
}

fn now() -> i64 {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("before the year 300000")
}
