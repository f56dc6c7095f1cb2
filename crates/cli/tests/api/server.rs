//! A server as a process of its own, on a seeded store. It moves nothing: its only stage is the last one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use store::Store;
use store::testing::seed;
use tempfile::TempDir;

/// A server that dies with the value.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) address: String,
    child: Child,
    secret: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("millstream-api-").tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("millstream.sqlite").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&database).await.unwrap();
            seed(&store).await.unwrap();
            store.close().await;
        });
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "[api]\nrequests_per_second = 0\n").unwrap();
        let millstream = || {
            // It dies with the thread that starts it, which is the test's.
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_millstream")]);
            command.args(["--data"]).arg(folder.path()).arg("--config").arg(&config);
            command
        };
        let token = millstream().args(["token", "create", "outside", "--scope", "admin"]).output();
        let secret = String::from_utf8(token.unwrap().stdout).unwrap().trim().to_owned();
        let mut child = millstream()
            .args(["serve", "--role", "outbox", "--listen", "127.0.0.1:0", "--log", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.expect("it says where it listens").to_owned();
        Self { folder, address, child, secret }
    }

    /// The header that shows who asks.
    pub(crate) fn authorization(&self) -> String {
        format!("Authorization: Bearer {}", self.secret)
    }

    /// Stops it as an operator does.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
