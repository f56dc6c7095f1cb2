//! How long every page takes with 10,000 plans stored: the real server at a real socket, on SQLite.
//!
//! `cargo bench -p server --bench pages` ; MILLSTREAM_BENCH_PLANS changes the number of plans.
//! The plans look at 5 to 60 of 34,000 artifacts each, a few at several hundred and one at 3,000; the newest are open.
//! "first" asks for things that were not asked for before, "again" for one and the same.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the clock, and ends at the first surprise"
)]

#[path = "pages/seed.rs"]
mod seed;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use server::Stage;
use server::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use seed::{LARGE, Seeded};

/// What no page may take longer than.
const BAR: Duration = Duration::from_millis(20);
/// How often each page is asked for.
const ASKED: usize = 100;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let plans = std::env::var("MILLSTREAM_BENCH_PLANS").ok().and_then(|text| text.parse().ok());
    let folder = tempfile::tempdir().expect("a folder for the run");
    let config = Config {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        ..Config::default()
    };
    let seeded = seed::fill(&config, plans.unwrap_or(10_000)).await;
    // Nothing but pages: what is open in the store stays as it is.
    let server = server::run::start(config, &[Stage::Outbox]).await.expect("the server starts");
    measure(server.address, &seeded).await;
    server.stop().await;
}

async fn measure(address: SocketAddr, seeded: &Seeded) {
    println!("{:<44} {:>9} {:>9} {:>9} {:>8}", "page", "median", "p95", "most", "KiB");
    let plan = |number: usize| format!("/plans/{}", 1 + (number * 97) % (seeded.plans - 60));
    let artifact = |number: usize| format!("/artifacts/rpms/{}/f44", seed::name(number * 331));
    let build = |number: usize| format!("/builds/{}", 1 + (number * 13) % seeded.builds);
    let fixed = |path: &'static str| move |_: usize| path.to_owned();
    let mut client = Client { stream: TcpStream::connect(address).await.expect("a connection") };
    let client = &mut client;
    client.report("overview", fixed("/")).await;
    client.report("what of the overview changes", fixed("/live")).await;
    client.report("plans", fixed("/plans")).await;
    client.report("plans under way", fixed("/plans?open=yes")).await;
    client.report("a plan, first", plan).await;
    client.report("a plan, again", |_| plan(1)).await;
    for (name, number) in &seeded.special {
        client.report(&format!("{name}, again"), |_| format!("/plans/{number}")).await;
    }
    let largest = seeded.special.last().expect("there are some").1;
    let part = |number: usize| format!("/plans/{largest}?sort=-since&from={}", number * 20);
    client.report(&format!("parts of the plan of {LARGE}"), part).await;
    client.report("artifacts", fixed("/artifacts")).await;
    client.report("an artifact, first", artifact).await;
    client
        .report("an artifact in the largest plan", |number| {
            format!("/artifacts/rpms/{}/f44?plan={largest}", seed::name(number * 7))
        })
        .await;
    client.report("builds", fixed("/builds")).await;
    client.report("failed builds", fixed("/builds?state=failed")).await;
    client.report("a build, first", build).await;
    client.report("images", fixed("/images")).await;
    client.report("composes", fixed("/composes")).await;
    client.report("gates", fixed("/gates")).await;
    client.report("events", fixed("/events")).await;
    client.report("an event", |number| format!("/events/{}", number * 31 + 1)).await;
    client
        .report("search for a part of a name", |number| format!("/search?q=age{number:02}"))
        .await;
    client.not_modified("the overview, not changed").await;
}

/// A browser with one connection.
struct Client {
    stream: TcpStream,
}

impl Client {
    async fn report(&mut self, name: &str, path: impl Fn(usize) -> String) {
        let mut times = Vec::with_capacity(ASKED);
        let mut bytes = 0;
        for number in 0..ASKED {
            let clock = Instant::now();
            let (head, length) = self.get(&path(number), "").await;
            times.push(clock.elapsed());
            assert!(head.starts_with("HTTP/1.1 200"), "{}: {head}", path(number));
            bytes = bytes.max(length);
        }
        print(name, &mut times, bytes);
    }

    async fn not_modified(&mut self, name: &str) {
        let mut times = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let (head, _) = self.get("/", "").await;
            let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
            let clock = Instant::now();
            let (head, _) = self.get("/", &format!("If-None-Match: {tag}\r\n")).await;
            // The tag holds the time in steps: now and then one ends in between.
            if head.starts_with("HTTP/1.1 304") {
                times.push(clock.elapsed());
            }
        }
        print(name, &mut times, 0);
    }

    /// The head of the answer and the length of its body.
    async fn get(&mut self, path: &str, more: &str) -> (String, usize) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
        self.stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let mut answer = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = self.stream.read(&mut buffer).await.expect("an answer");
            assert!(read > 0, "the server hung up");
            answer.extend_from_slice(&buffer[..read]);
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&answer[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |text| text.parse().expect("a length"));
            if answer.len() >= end + 4 + length {
                return (head, length);
            }
        }
    }
}

fn print(name: &str, times: &mut [Duration], bytes: usize) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let note = if at(0.95) > BAR { "  missed" } else { "" };
    let (median, p95, most) = (shown(at(0.5)), shown(at(0.95)), shown(at(1.0)));
    println!("{name:<44} {median:>9} {p95:>9} {most:>9} {:>8}{note}", bytes / 1024);
}
