//! A server as a process of its own, and everything the tests ask it: by HTTP, by the command line, by its log.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::sources::path;

/// What has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// Small waits, so that the tests are short.
const CONFIG: &str =
    "poll_seconds = 0.1\nplanning = { debounce_seconds = 0.1 }\nbranches = { f44 = {} }\n";

/// A server, its folder and its database. It ends with the value, and everything it started with it.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    /// The arguments by which the command line finds the same store.
    store: Vec<String>,
    /// What the command line is run through.
    entry: Vec<String>,
    process: Option<Process>,
}

struct Process {
    child: Child,
    address: String,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    /// Starts a server on SQLite, with more configuration.
    pub(crate) fn start(config: &str) -> Self {
        Self::on(None, config)
    }

    /// Starts a server on a database.
    pub(crate) fn on(db: Option<&str>, config: &str) -> Self {
        let mut server = Self::prepare(db, config);
        server.run(&[]);
        server
    }

    /// Lays out the folder of a server that does not run yet.
    pub(crate) fn prepare(db: Option<&str>, config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("millstream-bad-days-").tempdir().unwrap();
        // Builds of an ordinary user's server read it as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("config.toml"), format!("{CONFIG}{config}")).unwrap();
        let data = folder.path().join("data").to_string_lossy().into_owned();
        let mut store = vec!["--data".to_owned(), data];
        store.extend(db.iter().flat_map(|db| ["--db".to_owned(), (*db).to_owned()]));
        Self { folder, store, entry: Vec::new(), process: None }
    }

    /// Runs the server, which must not run yet, with more arguments.
    pub(crate) fn run(&mut self, arguments: &[&str]) {
        assert!(self.process.is_none(), "it runs already");
        let process = self.spawn(Command::new("setpriv"), arguments);
        self.process = Some(process);
    }

    /// One more server on the same data and the same database.
    pub(crate) fn companion(&self) -> Companion {
        Companion(self.spawn(Command::new("setpriv"), &[]))
    }

    /// Tells a server that does not run yet where its dist-git and its database are.
    pub(crate) fn keep_in(&mut self, distgit: &Path, database: &Path) {
        let config = self.folder.path().join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("distgit = {distgit:?}\n{text}")).unwrap();
        self.store.extend(["--db".to_owned(), format!("sqlite:{}", database.display())]);
    }

    /// Runs the server through `launcher`, which ends in `setpriv` and passes its arguments on, and every command
    /// through `entry(PID)`.
    pub(crate) fn run_through(&mut self, launcher: Command, entry: impl Fn(u32) -> Vec<String>) {
        let process = self.spawn(launcher, &[]);
        self.entry = entry(process.child.id());
        self.process = Some(process);
    }

    /// The server dies with the thread that starts it, which is the test's: none outlives a test that is killed.
    fn spawn(&self, mut launcher: Command, arguments: &[&str]) -> Process {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        launcher
            .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_millstream"), "serve"])
            .args(&self.store)
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(self.folder.path().join("config.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = launcher.spawn().expect("could not start the server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("not ready:\n{}", self.log()));
        Process { child, address: address.to_owned() }
    }

    /// Stops the server as an operator does.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        stop(self.process.take().expect("it runs"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").child.id()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// What the server logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// Runs a command of the command line.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Said {
        let program = [env!("CARGO_BIN_EXE_millstream").to_owned()];
        let words: Vec<&String> = self.entry.iter().chain(&program).collect();
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).args(arguments).args(&self.store).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        Said { code: output.status.code().unwrap_or(-1), out, err }
    }

    /// Runs a command that must succeed; returns what it prints.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let said = self.cli(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// Asks for JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let printed = self.done(&arguments);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    /// Looks until `look` sees something.
    pub(crate) fn until<T>(&self, what: impl Display, look: impl Fn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(began.elapsed() < PATIENCE, "waited for {what} in vain\n{}", self.state());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Everything that helps to see why a test does not go on.
    fn state(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("{}\n{log}", self.cli(&["status"]).out)
    }

    /// The step of an artifact in the newest plan that has it.
    pub(crate) fn step(&self, name: &str) -> Option<Value> {
        let artifact = format!("{}#f44", path(name));
        let plans = self.json(&["plan", "list"]);
        for plan in plans.as_array().unwrap() {
            let number = plan["number"].as_i64().unwrap().to_string();
            let report = self.json(&["plan", "show", &number]);
            let steps = report["steps"].as_array().unwrap();
            if let Some(step) = steps.iter().find(|step| step["artifact"] == artifact.as_str()) {
                let mut step = step.clone();
                step["plan"] = report["number"].clone();
                return Some(step);
            }
        }
        None
    }

    /// Waits until the newest step of an artifact is in a state.
    pub(crate) fn until_step(&self, name: &str, state: &str) -> Value {
        self.until(format_args!("{name} to be {state}"), || {
            self.step(name).filter(|step| step["state"] == state)
        })
    }

    /// Waits until the newest event of an artifact is in a state; returns the event with its decisions.
    pub(crate) fn until_event(&self, name: &str, state: &str) -> Value {
        self.until(format_args!("the event of {name} to be {state}"), || {
            let event = self.event(name)?;
            (event["state"] == state).then_some(event)
        })
    }

    /// The newest event of an artifact.
    pub(crate) fn event(&self, name: &str) -> Option<Value> {
        let events = self.json(&["event", "list", &format!("{}#f44", path(name))]);
        let number = events.as_array().unwrap().first()?["number"].as_i64().unwrap();
        Some(self.json(&["event", "show", &number.to_string()]))
    }

    /// The builds of an artifact, the newest first.
    pub(crate) fn builds(&self, name: &str) -> Vec<Value> {
        let builds = self.json(&["build", "list", &format!("{}#f44", path(name))]);
        builds.as_array().unwrap().clone()
    }

    /// The file names of the published packages.
    pub(crate) fn published(&self) -> Vec<String> {
        published(&self.data())
    }

    /// Sends a message; returns the status and the answer.
    pub(crate) fn post(&self, token: Option<&str>, body: &str) -> (u16, Value) {
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "Content-Type: application/json\r\nContent-Length: {length}\r\n{authorization}"
        );
        let (status, body) = self.ask("POST /api/v1/messages", &head, body);
        let json = serde_json::from_str(&body);
        (status, json.unwrap_or_else(|error| panic!("{status} {body:?} is no JSON: {error}")))
    }

    /// The status and the body of a page.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> &str {
        &self.process.as_ref().expect("it runs").address
    }

    fn ask(&self, what: &str, head: &str, body: &str) -> (u16, String) {
        let address = self.address();
        let mut stream = TcpStream::connect(address).expect("it answers there");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{head}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a long body need not read it to its end.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("an answer has a status"), body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            kill(process);
        }
    }
}

/// A second server beside one.
pub(crate) struct Companion(Process);

impl Companion {
    pub(crate) fn stop(self) -> ExitStatus {
        stop(self.0)
    }
}

fn stop(mut process: Process) -> ExitStatus {
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    process.child.wait().unwrap()
}

fn kill(mut process: Process) {
    // It fails only for a process that is gone already.
    let _ = process.child.kill();
    let _ = process.child.wait();
}

/// The file names of the packages published below a data folder.
pub(crate) fn published(data: &Path) -> Vec<String> {
    let folder = data.join("published/f44/current");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    // The stand-in of the toolchain is in every repository.
    let ours = |name: &String| name.ends_with(".rpm") && !name.starts_with("host-toolchain-");
    let mut names: Vec<String> = names.filter(ours).collect();
    names.sort();
    names
}
