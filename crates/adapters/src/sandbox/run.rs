//! Starts a cell, watches what it uses, and ends it when it must end.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::sandbox::log;
use crate::sandbox::{
    Cancel, Cell, Ended, Exhausted, Phase, Report, SandboxError, exhausted, stage, tree,
};

/// How often the use of a cell is measured. The end of a cell is noticed at once, not by this.
const TICK: Duration = Duration::from_millis(100);

/// What installing packages as the root of a user namespace needs, and no more.
pub(crate) const CAPABILITIES: &str =
    "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setfcap";

/// Runs a cell to its end, on a thread that must not be shared: see [`crate::sandbox::start`].
///
/// # Errors
/// The machine is at fault: files cannot be staged, or no isolated root can be made.
pub(crate) fn run(cell: &Cell, cancel: &Cancel) -> Result<Report, SandboxError> {
    let owner = is_root()?.then(|| cell.slot.first_uid + cell.slot.number);
    let folder = stage::stage(cell, owner)?;
    let (mut child, events, timer) = spawn(cell, &folder, owner)?;
    let forced = watch(cell, cancel, child.id(), &events);
    drop(timer);
    if forced.is_some() {
        // Everything else in the tree is tied to this process by the kernel.
        let _ = child.kill();
        drain(&events);
    }
    let status = child.wait().map_err(|source| start_failed("wait for its end", source))?;
    let broken = |source| SandboxError::file("write the log", &cell.log, source);
    let ended = match forced {
        Some(Forced::Log(error)) => return Err(broken(error)),
        // At the limit some fork bombs die and rise again, and the watch never sees all of them.
        Some(Forced::Ended(Ended::TimedOut))
            if exhausted(&cell.log) == Some(Exhausted::Processes) =>
        {
            Ended::TooManyProcesses(cell.limits.processes)
        }
        Some(Forced::Ended(ended)) => ended,
        None => Ended::Exited(status.code().unwrap_or(128)),
    };
    let phase = reached(&folder);
    match ended {
        Ended::Exited(exit) if phase == Phase::Mount => {
            let log = log::tail(&cell.log, 4096);
            let line = log.lines().next().unwrap_or("it said nothing").to_owned();
            Err(SandboxError::Root { exit, line })
        }
        ended => Ok(Report { ended, phase, duration: took(&folder) }),
    }
}

/// What the watch over a cell is told.
#[derive(Debug)]
pub(crate) enum Event {
    /// All processes that could write to the log are gone, which means all there were.
    Gone,
    /// The log is too long.
    LogTooLong,
    /// The log file could not be written.
    LogBroken(io::Error),
    /// The cell has had its time.
    TimeUp,
}

/// Says when the time is up, unless it is dropped before.
type Timer = Sender<()>;

/// Why a cell was ended from outside.
enum Forced {
    Ended(Ended),
    Log(io::Error),
}

fn watch(cell: &Cell, cancel: &Cancel, process: u32, events: &Receiver<Event>) -> Option<Forced> {
    loop {
        match events.recv_timeout(TICK) {
            Ok(Event::Gone) | Err(RecvTimeoutError::Disconnected) => return None,
            Ok(Event::LogTooLong) => return Some(Forced::Ended(Ended::LogTooLong)),
            Ok(Event::LogBroken(error)) => return Some(Forced::Log(error)),
            Ok(Event::TimeUp) => return Some(Forced::Ended(Ended::TimedOut)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if cancel.is_cancelled() {
            return Some(Forced::Ended(Ended::Cancelled));
        }
        let used = tree::usage(process);
        if used.memory_bytes > cell.limits.memory_bytes {
            return Some(Forced::Ended(Ended::OutOfMemory(used.memory_bytes)));
        }
        if used.processes >= cell.limits.processes {
            return Some(Forced::Ended(Ended::TooManyProcesses(used.processes)));
        }
    }
}

/// Waits until no process is left that could write to the log, which means: no process of the cell.
fn drain(events: &Receiver<Event>) {
    while !matches!(events.recv(), Ok(Event::Gone) | Err(_)) {}
}

fn spawn(
    cell: &Cell,
    folder: &Path,
    owner: Option<u32>,
) -> Result<(Child, Receiver<Event>, Timer), SandboxError> {
    let log = fs::create_dir_all(cell.log.parent().unwrap_or(Path::new("/")))
        .and_then(|()| File::create(&cell.log))
        .map_err(|source| SandboxError::file("create the log", &cell.log, source))?;
    let failed = |source| start_failed("isolate a job", source);
    let (reader, writer) = io::pipe().map_err(failed)?;
    let mut command = command(cell, owner);
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(writer.try_clone().map_err(failed)?)
        .stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The command still holds the pipe's writing end, and the log would never end.
    drop(command);
    let (sender, events) = mpsc::channel();
    let timer = time(cell.limits.wall, sender.clone());
    let stdin = child.stdin.take();
    thread::spawn(move || {
        let (mut reader, mut log) = (reader, log);
        if greet(&mut reader, &mut log)
            && let Some(mut stdin) = stdin
        {
            // If it is dead already, its exit says more than this error.
            let _ = stdin.write_all(b"go\n");
        }
        log::copy(reader, log, &sender);
    });
    Ok((child, events, timer))
}

/// Waits for the line by which the script says that it will not outlive this process. What comes instead, as of an
/// `unshare` that is not allowed, belongs into the log.
fn greet(reader: &mut PipeReader, log: &mut File) -> bool {
    const READY: &[u8] = b"ready\n";
    let mut said = Vec::new();
    let mut byte = [0];
    while said.len() < READY.len() && matches!(reader.read(&mut byte), Ok(1)) {
        said.push(byte[0]);
    }
    // A log that cannot be written is noticed by the copying that follows.
    said == READY || log.write_all(&said).is_err()
}

fn time(limit: Duration, events: Sender<Event>) -> Timer {
    let (timer, dropped) = mpsc::channel();
    thread::spawn(move || {
        if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            let _ = events.send(Event::TimeUp);
        }
    });
    timer
}

fn command(cell: &Cell, owner: Option<u32>) -> Command {
    let limits = &cell.limits;
    let mut command = Command::new("setpriv");
    if let Some(uid) = owner {
        let id = uid.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    }
    command
        .args(["--pdeathsig", "KILL", "unshare", "--user", "--map-root-user", "--mount", "--net"])
        .args(["--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "in/root.sh"])
        .env_clear()
        .env("PATH", "/usr/bin:/usr/sbin")
        .env("LC_ALL", "C.UTF-8")
        .env("CELL_DISK", limits.disk_bytes.to_string())
        // A small file takes a page and an inode; more inodes than pages are of no use.
        .env("CELL_INODES", (limits.disk_bytes / 4096).max(65536).to_string())
        // The kernel's limit stops what the watch is too slow for, and lies above what ends a cell.
        .env("CELL_PROCESSES", limits.processes.saturating_mul(2).to_string())
        // Address space is reserved more freely than it is used, by Go's runtime most of a gigabyte whatever it does. The
        // sum of what is used is watched; this only stops a single process that is faster than the watch.
        .env(
            "CELL_MEMORY",
            limits.memory_bytes.saturating_mul(2).saturating_add(1 << 30).to_string(),
        )
        .env("CELL_CAPABILITIES", CAPABILITIES)
        .env("CELL_EPOCH", cell.source_date_epoch.to_string());
    command
}

fn reached(folder: &Path) -> Phase {
    match fs::read_to_string(folder.join("out/phase")).as_deref().map(str::trim) {
        Ok("run") => Phase::Run,
        Ok("install") => Phase::Install,
        _ => Phase::Mount,
    }
}

/// How long the script says it took, by the time since the machine's start; zero if it was ended.
fn took(folder: &Path) -> Duration {
    let read = |name: &str| -> Option<f64> {
        let text = fs::read_to_string(folder.join("out").join(name)).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let seconds = read("ended").zip(read("began")).map_or(0.0, |(ended, began)| ended - began);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Whether the effective user is root, as the kernel says.
fn is_root() -> Result<bool, SandboxError> {
    let path = "/proc/self/status";
    let status =
        fs::read_to_string(path).map_err(|source| SandboxError::file("read", path, source))?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    Ok(ids.split_whitespace().nth(1) == Some("0"))
}

fn start_failed(purpose: &'static str, source: io::Error) -> SandboxError {
    SandboxError::Start { program: "setpriv", purpose, source }
}
