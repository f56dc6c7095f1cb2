//! Runs one outside program to its end: clean environment, no input, a time limit, its output as bytes.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// Why an outside program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It is not installed, or the system refused to start it.
    #[error("could not start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It was killed because it took too long.
    #[error("{program} did not end within {} s", limit.as_secs_f64())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it had.
        limit: Duration,
    },
    /// It ended and said no.
    #[error("{program} failed ({status}): {message}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed on standard error.
        message: String,
    },
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) program: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// The standard output of a program that succeeded.
    pub(crate) fn success(self) -> Result<Vec<u8>, CommandError> {
        if self.status.success() { Ok(self.stdout) } else { Err(self.failure()) }
    }

    /// The failure as an error that quotes the program.
    pub(crate) fn failure(self) -> CommandError {
        let message = self.stderr.trim().to_owned();
        CommandError::Failed { program: self.program, status: self.status, message }
    }
}

/// A command that sees nothing of the caller's environment: neither its locale, its home nor its credentials.
pub(crate) fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end. A failure of the program is an answer here, not an error.
pub(crate) async fn finish(
    mut command: Command,
    limit: Duration,
) -> Result<Finished, CommandError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let start = |source| CommandError::Start { program: program.clone(), source };
    let child = command.spawn().map_err(start)?;
    // The command may own the writing end of a pipe whose reader waits for its end.
    drop(command);
    let ended = tokio::time::timeout(limit, child.wait_with_output()).await;
    let Ok(output) = ended else { return Err(CommandError::TimedOut { program, limit }) };
    let output = output.map_err(start)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Finished { program, status: output.status, stdout: output.stdout, stderr })
}

/// Runs a command that must succeed and returns what it printed.
pub(crate) async fn output(command: Command, limit: Duration) -> Result<Vec<u8>, CommandError> {
    finish(command, limit).await?.success()
}
