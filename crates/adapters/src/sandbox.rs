//! An isolated root: the host's programs, none of its data, no network, and an end that is certain.
//!
//! Root and ordinary users take one path. Root first becomes an unprivileged user of the slot's own;
//! then everybody enters a user namespace and builds the root in it (`sandbox/root.sh`). The whole
//! tree of processes dies with the thread that started it, so a killed server leaves nothing.

mod job;
pub(crate) mod keep;
mod log;
mod need;
mod run;
mod stage;
mod tree;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use job::start;
pub use job::{Cancel, Job, Lost};
pub(crate) use keep::Keeping;
pub(crate) use log::tail;
pub(crate) use need::{Exhausted, exhausted};
pub(crate) use run::{CAPABILITIES, run};
pub(crate) use stage::Staged;

/// The user ids that root gives away, unless it is told otherwise.
pub const FIRST_UID: u32 = 64100;

/// Where a cell runs: one slot for each build that may run at the same time.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Counted from 0.
    pub number: u32,
    /// The user id of slot 0, where the server is root. Slots must not share an id, because they
    /// could then end each other's processes.
    pub first_uid: u32,
}

impl Default for Slot {
    fn default() -> Self {
        Self { number: 0, first_uid: FIRST_UID }
    }
}

/// What a cell may use, before it is ended.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time from start to end.
    pub wall: Duration,
    /// Memory of all its processes together. Files of the root are counted as disk.
    pub memory_bytes: u64,
    /// Processes and threads at one time.
    pub processes: u32,
    /// Files in the isolated root, which live in memory.
    pub disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(1800),
            memory_bytes: 4 << 30,
            processes: 1024,
            disk_bytes: 4 << 30,
        }
    }
}

/// What to run in an isolated root.
pub(crate) struct Cell {
    /// A folder for this cell alone, whose file system need not be reachable by the slot's user.
    pub(crate) work: PathBuf,
    pub(crate) slot: Slot,
    pub(crate) limits: Limits,
    /// The database the root starts from.
    pub(crate) rpmdb: PathBuf,
    /// Packages to install before the steps, with rpm's own check of what they require.
    pub(crate) dependencies: Vec<PathBuf>,
    /// Further files for the folder `/in`.
    pub(crate) staged: Vec<Staged>,
    /// Shell lines appended to `root.sh`: they see `inside`, `$R` and the folder `out`.
    pub(crate) steps: &'static str,
    /// The time that builds are told it is, in seconds of the Unix epoch.
    pub(crate) source_date_epoch: i64,
    /// Everything that is written to standard output and error.
    pub(crate) log: PathBuf,
}

impl Cell {
    /// The folder that the steps leave their results in. What is there was written by a build, or by
    /// whoever could disturb it, and must be looked at before it is believed.
    pub(crate) fn out(&self) -> PathBuf {
        self.work.join("cell/out")
    }
}

/// What a cell staged and left goes with it, however the work on it ended.
impl Drop for Cell {
    fn drop(&mut self) {
        let folder = self.work.join("cell");
        if let Err(error) = std::fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %folder.display(), %error, "could not remove a work folder");
        }
    }
}

/// How far a cell came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Making the root: what fails here is the machine's fault.
    Mount,
    /// Installing dependencies.
    Install,
    /// The steps.
    Run,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this exit code of the outer script.
    Exited(i32),
    /// It took longer than its limit.
    TimedOut,
    /// Its processes used this many bytes.
    OutOfMemory(u64),
    /// It had this many processes and threads.
    TooManyProcesses(u32),
    /// It wrote more than a log may hold.
    LogTooLong,
    /// Somebody asked for its end.
    Cancelled,
}

/// What became of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) ended: Ended,
    pub(crate) phase: Phase,
    /// From start to end; zero where the end was forced.
    pub(crate) duration: Duration,
}

/// Why a cell could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file could not be staged, read or removed.
    #[error("could not {doing} {path}: {source}")]
    File {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("could not start {program} to {purpose}: {source}")]
    Start {
        /// The program.
        program: &'static str,
        /// What for.
        purpose: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The root itself could not be made.
    #[error("could not make an isolated root (exit {exit}): {line}")]
    Root {
        /// The exit code of the script that makes it.
        exit: i32,
        /// The first line of its complaint.
        line: String,
    },
}

impl SandboxError {
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing, path: path.into(), source }
    }
}

/// What the steps wrote down as the exit code of the job itself.
pub(crate) fn exit_of(cell: &Cell) -> Option<i32> {
    std::fs::read_to_string(cell.out().join("exit")).ok()?.trim().parse().ok()
}

/// A text as one word of the shell.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
