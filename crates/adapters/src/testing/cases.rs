//! Turns what a test run left behind into a result for each case.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::rpmbuild::telling_line;
use crate::sandbox::{Cell, Ended, Phase, Report};
use crate::testing::run::{Bounds, Planned};
use crate::testing::{CONFLICTS, CaseOutcome, CaseResult, INSTALLS};

/// How a case that ran to its end ended, and how long it took.
type Recorded = (i32, Duration);

/// What the shell says of a process that was killed.
const KILLED: i32 = 128 + 9;

/// The two cases that are answered by installing: whether it works, and whether files conflict.
pub(crate) fn installation(cell: &Cell, report: &Report) -> Vec<CaseResult> {
    let text = fs::read_to_string(&cell.log).unwrap_or_default();
    let is_conflict = |line: &&str| {
        line.contains(" conflicts with file from ") || line.contains(" conflicts between ")
    };
    let conflict = text.lines().find(is_conflict).map(|line| line.trim().to_owned());
    let installed = report.phase == Phase::Run;
    let conflicts = match conflict {
        _ if installed => CaseOutcome::Passed,
        Some(line) => CaseOutcome::Failed { line },
        None => CaseOutcome::Errored { reason: "the packages could not be installed".to_owned() },
    };
    let result = |case: &str, outcome| CaseResult {
        case: case.to_owned(),
        outcome,
        duration: if installed { Duration::ZERO } else { report.duration },
        log: cell.log.clone(),
    };
    vec![result(INSTALLS, preparation(cell, report)), result(CONFLICTS, conflicts)]
}

/// Whether the root came so far that cases could run in it, and if not, why.
pub(crate) fn preparation(cell: &Cell, report: &Report) -> CaseOutcome {
    match &report.ended {
        _ if report.phase == Phase::Run => CaseOutcome::Passed,
        Ended::TimedOut => CaseOutcome::TimedOut,
        Ended::Exited(exit) => {
            let line = telling_line(&cell.log).map(|line| line.text);
            CaseOutcome::Failed { line: line.unwrap_or_else(|| format!("it ended with {exit}")) }
        }
        other => CaseOutcome::Failed { line: reason(other) },
    }
}

/// What the script wrote down about the cases, as far as they follow the order of `waiting`.
pub(crate) fn recorded(cell: &Cell, waiting: &[Planned]) -> Vec<Recorded> {
    let text = fs::read_to_string(cell.out().join("results")).unwrap_or_default();
    let read = |(line, case): (&str, &Planned)| -> Option<Recorded> {
        let mut words = line.split_whitespace();
        if words.next() != Some(&case.case) {
            return None;
        }
        let exit = words.next()?.parse().ok()?;
        Some((exit, Duration::from_millis(words.next()?.parse().ok()?)))
    };
    text.lines().zip(waiting).map_while(read).collect()
}

pub(crate) fn ended(
    bounds: &Bounds,
    cell: &Cell,
    case: &str,
    exit: i32,
    duration: Duration,
) -> CaseResult {
    let log = keep_log(bounds, cell, case);
    let outcome = match exit {
        0 => CaseOutcome::Passed,
        // A test may kill itself, but then it does so earlier.
        KILLED if duration >= bounds.limits.wall => CaseOutcome::TimedOut,
        _ => {
            let line = telling_line(&log).map(|line| line.text);
            CaseOutcome::Failed { line: line.unwrap_or_else(|| format!("it ended with {exit}")) }
        }
    };
    CaseResult { case: case.to_owned(), outcome, duration, log }
}

/// The case that was running when the whole root was ended.
pub(crate) fn broken_off(bounds: &Bounds, cell: &Cell, case: &str, ended: &Ended) -> CaseResult {
    let current = fs::read_to_string(cell.out().join("current")).unwrap_or_default();
    let outcome = match ended {
        Ended::TimedOut => CaseOutcome::TimedOut,
        Ended::Exited(exit) => {
            CaseOutcome::Errored { reason: format!("the run broke off with {exit}") }
        }
        other if current.trim() == case => CaseOutcome::Failed { line: reason(other) },
        other => CaseOutcome::Errored { reason: reason(other) },
    };
    let log = keep_log(bounds, cell, case);
    CaseResult { case: case.to_owned(), outcome, duration: Duration::ZERO, log }
}

pub(crate) fn errored(bounds: &Bounds, case: &str, reason: &str) -> CaseResult {
    let outcome = CaseOutcome::Errored { reason: reason.to_owned() };
    let log = bounds.log(case);
    CaseResult { case: case.to_owned(), outcome, duration: Duration::ZERO, log }
}

fn reason(ended: &Ended) -> String {
    match ended {
        Ended::OutOfMemory(bytes) => format!("it used {} MB of memory", bytes >> 20),
        Ended::TooManyProcesses(count) => format!("it had {count} processes"),
        Ended::LogTooLong => "it wrote more than a log may hold".to_owned(),
        Ended::TimedOut => "it took too long".to_owned(),
        Ended::Exited(exit) => format!("it ended with {exit}"),
        Ended::Cancelled => "it was cancelled".to_owned(),
    }
}

/// Copies a case's log to where it is kept, as a file of our own. A case without one has an empty log.
fn keep_log(bounds: &Bounds, cell: &Cell, case: &str) -> PathBuf {
    let kept = bounds.log(case);
    let text = fs::read(cell.out().join(format!("{case}.log"))).unwrap_or_default();
    if let Err(error) = fs::write(&kept, text) {
        tracing::warn!(log = %kept.display(), %error, "could not keep the log of a test case");
    }
    kept
}
