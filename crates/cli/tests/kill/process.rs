//! The server as a process: started, killed, started again at once; and what it leaves behind when it is killed.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long the processes of a killed server may take to be gone. The kernel ends them at once; what a short-lived
/// program of the host's still does is over soon.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Small waits, so that a round is short; the same for all rounds.
const CONFIG: &str = "poll_seconds = 0.1\n[planning]\ndebounce_seconds = 0.2\n[branches.f44]\n";

/// Where the server listens.
#[derive(Clone, Debug)]
pub(crate) struct Address(String);

/// A server that is started again whenever it is killed.
pub(crate) struct Server {
    command: Vec<String>,
    data: PathBuf,
    log: PathBuf,
    pub(crate) address: Address,
    process: Child,
    /// The sessions of killed servers, with the time of death, until nothing of them is left.
    dead: Vec<(u32, Instant)>,
}

impl Server {
    /// Starts a server with its data below `folder`.
    pub(crate) fn start(folder: &Path, db: &str) -> Self {
        let config = folder.join("config.toml");
        fs::write(&config, CONFIG).unwrap();
        // Somebody else may take the port before the server does; then the server says so in its log.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap();
        let address = port.to_string();
        let data = folder.join("data");
        let command = ["--data", &data.to_string_lossy(), "--db", db, "--listen", &address];
        let mut command: Vec<String> = command.map(str::to_owned).to_vec();
        command.extend(["--config".to_owned(), config.to_string_lossy().into_owned()]);
        let log = folder.join("server.log");
        let process = spawn(&command, &log);
        Self { command, data, log, address: Address(address), process, dead: Vec::new() }
    }

    /// Kills the server, and nothing but the server, and starts it again at once.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.process = spawn(&self.command, &self.log);
        self.expect_no_remains();
    }

    fn kill(&mut self) {
        self.expect_alive();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.dead.push((self.process.id(), Instant::now()));
    }

    /// A server that ends by itself has met something it should have lived through.
    pub(crate) fn expect_alive(&mut self) {
        if let Some(status) = self.process.try_wait().unwrap() {
            panic!("the server ended by itself ({status}):\n{}", self.log_end());
        }
    }

    /// Whatever a killed server started has died with it, or soon after.
    fn expect_no_remains(&mut self) {
        let remains = processes();
        self.dead.retain(|(session, _)| remains.iter().any(|process| process.session == *session));
        let overdue = self.dead.iter().find(|(_, since)| since.elapsed() > GONE_WITHIN);
        if let Some((session, _)) = overdue {
            let left: Vec<&Process> =
                remains.iter().filter(|process| process.session == *session).collect();
            panic!("what a killed server started lives on: {left:#?}");
        }
    }

    /// Kills the server for good. Then, with nothing left of any of them, one more starts, and it tidies up.
    pub(crate) async fn end(mut self) {
        self.kill();
        while !self.dead.is_empty() {
            self.expect_no_remains();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.process = spawn(&self.command, &self.log);
        let ready = tokio::time::timeout(GONE_WITHIN, self.address.ready()).await;
        assert!(ready.is_ok(), "the last server is not ready:\n{}", self.log_end());
        let last = format!("{}-", self.process.id());
        for folder in ["work", "owners"] {
            for entry in fs::read_dir(self.data.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().to_string_lossy().into_owned();
                let owner = name.strip_prefix("resolver-").unwrap_or(&name);
                assert!(owner.starts_with(&last), "{folder}/{name} is left of a killed server");
            }
        }
        self.expect_alive();
    }

    /// The end of what all servers of this round logged.
    pub(crate) fn log_end(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// Also when the test fails, the server goes; what it started goes with it.
impl Drop for Server {
    fn drop(&mut self) {
        // It fails only for a process that is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server has a session of its own, by which everything it starts is known. It dies with the thread that starts it,
/// which is the test's: none outlives a test that is killed itself.
fn spawn(arguments: &[String], log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).unwrap();
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "setsid", env!("CARGO_BIN_EXE_millstream"), "serve"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("could not start the server")
}

/// A process that is not dead.
#[derive(Debug)]
struct Process {
    #[expect(dead_code, reason = "printed when it should not be there")]
    command: String,
    session: u32,
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| read(&entry.ok()?.path())).collect()
}

/// Reads `/proc/PID/stat`: after the name in parentheses come state, parent, group and session (proc(5)).
fn read(folder: &Path) -> Option<Process> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, session) = (fields.next()?, fields.nth(2)?);
    // The dead wait for whoever adopted them to ask how they ended.
    if matches!(state, "Z" | "X") {
        return None;
    }
    let command = fs::read(folder.join("cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(Process { command, session: session.parse().ok()? })
}

impl Address {
    /// Sends a message until a server says that it is stored.
    pub(crate) async fn send(&self, id: &str, topic: &str, body: &str) {
        let message = format!(r#"{{"id": "{id}", "topic": "{topic}", "body": {body}}}"#);
        loop {
            match self.post(&message).await {
                Ok(answer) if answer.starts_with("HTTP/1.1 20") => return,
                Ok(answer) if answer.starts_with("HTTP/1.1 4") => panic!("{id}: {answer}"),
                // It is dead or was killed before it could answer.
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn post(&self, message: &str) -> std::io::Result<String> {
        let length = message.len();
        let head = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        self.ask("POST /api/v1/messages", &head, message).await
    }

    /// Waits until a server answers.
    async fn ready(&self) {
        while !self.ask("GET /health", "", "").await.is_ok_and(|answer| answer.contains(" 200 ")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ask(&self, what: &str, head: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.0).await?;
        let request =
            format!("{what} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}\r\n{body}", self.0);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
