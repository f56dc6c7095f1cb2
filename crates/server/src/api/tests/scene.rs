//! An API on a seeded store, and a client that speaks HTTP/1.0: an answer ends where the connection does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use model::clock::{ManualClock, Timestamp};
use serde_json::Value;
use store::Store;
use store::testing::{Seed, seed};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::admin::tokens::Scope;
use crate::api::{Parts, answer};
use crate::config::Config;
use crate::dependencies::testing::{self, Written};
use crate::running::Running;

/// 2026-07-01T02:00:00Z, an hour after what is stored.
pub(super) const NOW: Timestamp = Timestamp(1_782_871_200_000_000);

/// An API that answers until it is dropped.
pub(super) struct Scene {
    pub(super) address: SocketAddr,
    pub(super) seed: Seed,
    pub(super) store: Store,
    pub(super) admin: Admin,
    pub(super) clock: Arc<ManualClock>,
    pub(super) config: Config,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
    /// What was asked and answered: method, path without query, status.
    pub(super) answered: Mutex<BTreeSet<(String, String, u16)>>,
    _folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status, and a problem's place and detail.
    #[track_caller]
    pub(super) fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
        (self.status, text("place"), text("detail"))
    }
}

impl Scene {
    pub(super) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
        change(&mut config);
        let store = Store::open(&config.db_url()).await.unwrap();
        let seed = seed(&store).await.unwrap();
        std::fs::create_dir_all(config.builds_root()).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let (stop, stopped) = watch::channel(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let parts = Parts {
            config: config.clone(),
            store: store.clone(),
            clock: clock.clone(),
            wakes: Arc::default(),
            running: Running::new(&config.data).unwrap(),
            graph: Arc::default(),
        };
        let task = tokio::spawn(answer(parts, listener, stopped));
        let admin = Admin::with(config.clone(), store.clone(), clock.clone());
        let answered = Mutex::default();
        Self { address, seed, store, admin, clock, config, stop, task, answered, _folder: folder }
    }

    /// The header that carries a new token with these scopes.
    pub(super) async fn token(&self, name: &str, scopes: &[Scope]) -> String {
        let token = self.admin.create_token(name, scopes, None).await.unwrap();
        format!("Authorization: Bearer {}", token.secret)
    }

    /// Publishes a generation of branch `f44`, of packages with what they provide and require.
    pub(super) fn publish(&self, number: &str, packages: &[(&str, &str, &str)]) {
        let packages: Vec<(&str, Vec<&str>, Vec<&str>)> = packages
            .iter()
            .map(|(name, provides, requires)| (*name, named(provides), named(requires)))
            .collect();
        let written: Vec<Written<'_>> = packages
            .iter()
            .map(|(name, provides, requires)| Written {
                name,
                source: name,
                provides,
                requires,
                files: &[],
            })
            .collect();
        let branch = self.config.published_root().join("f44");
        testing::write(&branch.join(number), &written);
        let _ = std::fs::remove_file(branch.join("current"));
        std::os::unix::fs::symlink(number, branch.join("current")).unwrap();
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Sends JSON.
    pub(super) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let headers = [token, "Content-Type: application/json"];
        self.ask("POST", path, &headers, &body.to_string()).await
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let mut stream = self.send(method, path, headers, body).await;
        let mut answer = Vec::new();
        // A server that refuses a long body may hang up before all of it is sent.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = read(&String::from_utf8(answer).unwrap());
        let path = path.split('?').next().unwrap_or_default().to_owned();
        self.answered.lock().unwrap().insert((method.to_owned(), path, answer.status));
        answer
    }

    /// Sends a request and leaves the answer to be read.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String = headers
            .iter()
            .filter(|h| !h.is_empty())
            .map(|header| format!("{header}\r\n"))
            .collect();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(body.as_bytes()).await;
        stream
    }
}

fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in lines.filter_map(header) {
        // One answer may set several cookies.
        let known = headers.entry(name).or_default();
        *known = if known.is_empty() { value } else { format!("{known}\n{value}") };
    }
    Answer { status, headers, body: body.to_owned() }
}

fn named(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
