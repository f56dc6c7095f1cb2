//! Installs packages into an isolated root and runs test cases there.

mod cases;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::{
    self, Cancel, Cell, Ended, Job, Limits, Phase, Report, SandboxError, Slot, Staged,
};
use crate::toolchain::Toolchain;

/// The packages install together, with all they require.
pub const INSTALLS: &str = "millstream.installs";
/// The libraries of every program and library in the packages under test are found.
pub const LIBRARIES: &str = "millstream.libraries";
/// No two packages claim one file with different contents.
pub const CONFLICTS: &str = "millstream.conflicts";
/// What the name of a case from dist-git begins with.
pub const OWN_CASES: &str = "tests.";

/// What to test, and with what.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// A folder for this run alone.
    pub work: PathBuf,
    /// Packages to install: the whole closure of those under test, without the toolchain.
    pub packages: Vec<PathBuf>,
    /// The names of those under test.
    pub subjects: Vec<String>,
    /// The folder whose executables are test cases, if there is one.
    pub tests: Option<PathBuf>,
    /// Limits of each case; the time is each case's own.
    pub limits: Limits,
    /// Where each case's log goes, as `CASE.log`.
    pub logs: PathBuf,
    /// Where it runs.
    pub slot: Slot,
}

/// What became of a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// `tests.hello` or `millstream.installs`.
    pub case: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// How long it took.
    pub duration: Duration,
    /// What it printed.
    pub log: PathBuf,
}

/// How a test case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed {
        /// The line that says most about the reason.
        line: String,
    },
    /// It could not be found out.
    Errored {
        /// Why.
        reason: String,
    },
    /// It took longer than its limit.
    TimedOut,
}

/// Why no test case could be run.
#[derive(Debug, thiserror::Error)]
pub enum TestingError {
    /// No isolated root, or a folder that cannot be read.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Somebody ended the run.
    #[error("the test run was cancelled")]
    Cancelled,
}

/// Each line of `in/cases` is a case and its script. `current` and `results` tell how far it came.
const STEPS: &str = r#"
BEFORE="timeout --signal=KILL $(cat in/seconds)"
while read -r name script; do
	echo "$name" >out/current
	echo 0 >out/status
	began=$(date +%s%3N)
	{ inside "$script" "$name" || echo $? >out/status; } 2>&1 | head -c 16M >"out/$name.log"
	echo "$name $(cat out/status) $(($(date +%s%3N) - began))" >>out/results
done <in/cases
echo >out/current
"#;

/// Checks every program and library of the packages named in `/in/subjects`.
const CHECK_LIBRARIES: &str = r#"
status=0
while read -r package; do
	rpm -ql "$package" || status=1
done </in/subjects >/build/files
while read -r file; do
	[ -f "$file" ] && [ ! -L "$file" ] || continue
	[ -x "$file" ] || case $file in *.so | *.so.*) ;; *) continue ;; esac
	[ "$(head -c 4 "$file" | tr -d '\177')" = ELF ] || continue
	ldd "$file" 2>&1 | grep -F 'not found' >/build/missing || continue
	status=1
	while read -r missing; do echo "error: $file: $missing"; done </build/missing
done </build/files
exit $status
"#;

/// Runs one test in a fresh copy of the folder it comes from.
const RUN_CASE: &str = r#"
rm -rf /build/tests
cp -r /in/tests /build/tests
cd /build/tests
exec "./${1#tests.}"
"#;

/// Starts a test run.
///
/// # Errors
/// No thread can be started. Everything else is in the job's answer.
pub fn start(
    request: TestRequest,
    toolchain: Toolchain,
) -> Result<Job<Result<Vec<CaseResult>, TestingError>>, TestingError> {
    Ok(sandbox::start("tests", move |cancel| test(&request, &toolchain, cancel))?)
}

/// A case that runs inside, and the script it runs.
struct Planned {
    case: String,
    script: &'static str,
}

fn test(
    request: &TestRequest,
    toolchain: &Toolchain,
    cancel: &Cancel,
) -> Result<Vec<CaseResult>, TestingError> {
    for folder in [&request.work, &request.logs] {
        fs::create_dir_all(folder).map_err(|source| SandboxError::file("make", folder, source))?;
    }
    let mut waiting = planned(request)?;
    let mut results = Vec::new();
    loop {
        let cell = cell(request, toolchain, &waiting);
        let report = sandbox::run(&cell, cancel)?;
        if report.ended == Ended::Cancelled {
            return Err(TestingError::Cancelled);
        }
        if results.is_empty() {
            results = cases::installation(&cell, &report);
        }
        let done = finish(request, &cell, &report, &waiting);
        waiting.drain(..done.len());
        results.extend(done);
        // A case that used up memory or processes took the root with it; the others get a new one.
        if waiting.is_empty() {
            return Ok(results);
        }
    }
}

/// The results of the cases that are through with this root: at least one, so that a run ends.
fn finish(
    request: &TestRequest,
    cell: &Cell,
    report: &Report,
    waiting: &[Planned],
) -> Vec<CaseResult> {
    if report.phase != Phase::Run {
        let reason = "the packages could not be installed";
        return waiting.iter().map(|case| cases::errored(request, &case.case, reason)).collect();
    }
    let mut done = Vec::new();
    for (case, (exit, took)) in waiting.iter().zip(cases::recorded(cell, waiting)) {
        done.push(cases::ended(request, cell, &case.case, exit, took));
    }
    if let Some(next) = waiting.get(done.len()) {
        done.push(cases::broken_off(request, cell, &next.case, &report.ended));
    }
    done
}

fn cell(request: &TestRequest, toolchain: &Toolchain, waiting: &[Planned]) -> Cell {
    let lines: String =
        waiting.iter().map(|case| format!("{} /in/{}\n", case.case, case.script)).collect();
    let mut staged = vec![
        Staged::Text("cases", lines),
        Staged::Text("seconds", format!("{}\n", request.limits.wall.as_secs_f64())),
        Staged::Text("subjects", request.subjects.iter().map(|name| format!("{name}\n")).collect()),
        Staged::Text("libraries.sh", CHECK_LIBRARIES.to_owned()),
        Staged::Text("case.sh", RUN_CASE.to_owned()),
    ];
    if let Some(tests) = &request.tests {
        staged.push(Staged::Tree("tests", tests.clone()));
    }
    // The script ends each case in time; the whole gets some more for installing.
    let cases = u32::try_from(waiting.len()).unwrap_or(u32::MAX).saturating_add(1);
    let wall = request.limits.wall.saturating_mul(cases).saturating_add(Duration::from_secs(60));
    Cell {
        work: request.work.clone(),
        slot: request.slot.clone(),
        limits: Limits { wall, ..request.limits.clone() },
        rpmdb: toolchain.rpmdb.clone(),
        dependencies: request.packages.clone(),
        staged,
        steps: STEPS,
        source_date_epoch: 0,
        log: cases::log(request, INSTALLS),
    }
}

/// The check of libraries, and each executable of the tests folder in order.
fn planned(request: &TestRequest) -> Result<Vec<Planned>, SandboxError> {
    let mut planned = vec![Planned { case: LIBRARIES.to_owned(), script: "libraries.sh" }];
    if let Some(tests) = &request.tests {
        for name in executables(tests)? {
            planned.push(Planned { case: format!("{OWN_CASES}{name}"), script: "case.sh" });
        }
    }
    Ok(planned)
}

/// Files that may be executed, by name. A folder that is not there has none, and a name that could not
/// be a test case's in a policy is refused loudly rather than left out.
fn executables(folder: &Path) -> Result<Vec<String>, SandboxError> {
    let failed = |source| SandboxError::file("read the tests in", folder, source);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
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
            return Err(SandboxError::file(
                "use the test",
                entry.path(),
                std::io::Error::other(reason),
            ));
        }
        names.push(name);
    }
    names.sort();
    Ok(names)
}
