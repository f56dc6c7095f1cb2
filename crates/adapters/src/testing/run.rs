//! Runs cases one after the other in isolated roots, so that each has a result of its own whatever becomes
//! of the others.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::{self, Cancel, Cell, Ended, Limits, Phase, Report, SandboxError, Staged};
use crate::testing::{CaseResult, OWN_CASES, TestingError, cases};

/// The last steps of a cell whose cases were staged by [`Bounds::staged`].
pub(crate) const EACH_CASE: &str = include_str!("each_case.sh");

/// A case that runs inside, and the script it runs.
pub(crate) struct Planned {
    pub(crate) case: String,
    pub(crate) script: &'static str,
}

/// What each case may use, and where its log goes.
pub(crate) struct Bounds {
    pub(crate) logs: PathBuf,
    /// The time is each case's own.
    pub(crate) limits: Limits,
}

impl Bounds {
    pub(crate) fn log(&self, case: &str) -> PathBuf {
        self.logs.join(format!("{case}.log"))
    }

    /// What the steps read: the cases with their scripts, and the time each has.
    pub(crate) fn staged(&self, waiting: &[Planned]) -> Vec<Staged> {
        let line = |case: &Planned| format!("{} /in/{}\n", case.case, case.script);
        vec![
            Staged::Text("cases", waiting.iter().map(line).collect()),
            Staged::Text("seconds", format!("{}\n", self.limits.wall.as_secs_f64())),
        ]
    }

    /// The limits of a root for all these cases. Its script ends each in time; making it takes some more.
    pub(crate) fn together(&self, waiting: &[Planned]) -> Limits {
        let cases = u32::try_from(waiting.len()).unwrap_or(u32::MAX).saturating_add(1);
        let wall = self.limits.wall.saturating_mul(cases).saturating_add(Duration::from_secs(60));
        Limits { wall, ..self.limits.clone() }
    }
}

/// What is tested.
pub(crate) trait Subject {
    /// Why a case could not be run in a root that did not come to be.
    const UNPREPARED: &'static str;

    /// What each case may use.
    fn bounds(&self) -> &Bounds;

    /// A root for these cases. Its phase is `run` when they can begin.
    fn cell(&self, waiting: &[Planned]) -> Cell;

    /// The cases that are answered by making the first root.
    fn prepared(&self, cell: &Cell, report: &Report) -> Vec<CaseResult>;
}

/// Runs all cases, in as many roots as that takes.
pub(crate) fn run(
    subject: &impl Subject,
    mut waiting: Vec<Planned>,
    cancel: &Cancel,
) -> Result<Vec<CaseResult>, TestingError> {
    make(&subject.bounds().logs)?;
    let mut results = Vec::new();
    loop {
        let cell = subject.cell(&waiting);
        make(&cell.work)?;
        let report = sandbox::run(&cell, cancel)?;
        if report.ended == Ended::Cancelled {
            return Err(TestingError::Cancelled);
        }
        if results.is_empty() {
            results = subject.prepared(&cell, &report);
        }
        let done = finish(subject, &cell, &report, &waiting);
        waiting.drain(..done.len());
        results.extend(done);
        // A case that used up memory or processes took the root with it; the others get a new one.
        if waiting.is_empty() {
            return Ok(results);
        }
    }
}

pub(crate) fn make(folder: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|source| SandboxError::file("make", folder, source))
}

/// The results of the cases that are through with this root: at least one, so that a run ends.
fn finish<S: Subject>(
    subject: &S,
    cell: &Cell,
    report: &Report,
    waiting: &[Planned],
) -> Vec<CaseResult> {
    let bounds = subject.bounds();
    if report.phase != Phase::Run {
        let errored = |case: &Planned| cases::errored(bounds, &case.case, S::UNPREPARED);
        return waiting.iter().map(errored).collect();
    }
    let mut done = Vec::new();
    for (case, (exit, took)) in waiting.iter().zip(cases::recorded(cell, waiting)) {
        done.push(cases::ended(bounds, cell, &case.case, exit, took));
    }
    if let Some(next) = waiting.get(done.len()) {
        done.push(cases::broken_off(bounds, cell, &next.case, &report.ended));
    }
    done
}

/// A case for each executable of a tests folder, in order.
pub(crate) fn own_cases(folder: Option<&Path>) -> Result<Vec<Planned>, SandboxError> {
    let names = folder.map(executables).transpose()?.unwrap_or_default();
    let planned = |name| Planned { case: format!("{OWN_CASES}{name}"), script: "case.sh" };
    Ok(names.into_iter().map(planned).collect())
}

/// Files that may be executed, by name. A folder that is not there has none, and a name that could not
/// be a test case's in a policy is refused loudly rather than left out.
fn executables(folder: &Path) -> Result<Vec<String>, SandboxError> {
    let failed = |source| SandboxError::file("read the tests in", folder, source);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let executable = fs::metadata(entry.path())
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
        if !executable {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        if !name.chars().all(plain) {
            let reason = "a test's name has letters, digits and ._+- only";
            return Err(SandboxError::file("use the test", entry.path(), io::Error::other(reason)));
        }
        names.push(name);
    }
    names.sort();
    Ok(names)
}
