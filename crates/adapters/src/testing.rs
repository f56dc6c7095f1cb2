//! Installs packages into an isolated root and runs test cases there.

pub(crate) mod cases;
pub(crate) mod run;

use std::path::PathBuf;
use std::time::Duration;

use crate::sandbox::{self, Cancel, Cell, Job, Limits, Report, SandboxError, Slot, Staged};
use crate::testing::run::{Bounds, Planned, Subject};
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

fn test(
    request: &TestRequest,
    toolchain: &Toolchain,
    cancel: &Cancel,
) -> Result<Vec<CaseResult>, TestingError> {
    let bounds = Bounds { logs: request.logs.clone(), limits: request.limits.clone() };
    let mut cases = vec![Planned { case: LIBRARIES.to_owned(), script: "libraries.sh" }];
    cases.extend(run::own_cases(request.tests.as_deref())?);
    run::run(&Installed { request, toolchain, bounds }, cases, cancel)
}

/// Packages that are installed into each root.
struct Installed<'a> {
    request: &'a TestRequest,
    toolchain: &'a Toolchain,
    bounds: Bounds,
}

impl Subject for Installed<'_> {
    const UNPREPARED: &'static str = "the packages could not be installed";

    fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    fn cell(&self, waiting: &[Planned]) -> Cell {
        let request = self.request;
        let subjects = request.subjects.iter().map(|name| format!("{name}\n")).collect();
        let mut staged = self.bounds.staged(waiting);
        staged.extend([
            Staged::Text("subjects", subjects),
            Staged::Text("libraries.sh", CHECK_LIBRARIES.to_owned()),
            Staged::Text("case.sh", RUN_CASE.to_owned()),
        ]);
        if let Some(tests) = &request.tests {
            staged.push(Staged::Tree("tests".to_owned(), tests.clone()));
        }
        Cell {
            work: request.work.clone(),
            slot: request.slot.clone(),
            limits: self.bounds.together(waiting),
            rpmdb: self.toolchain.rpmdb.clone(),
            dependencies: request.packages.clone(),
            staged,
            steps: run::EACH_CASE,
            source_date_epoch: 0,
            log: self.bounds.log(INSTALLS),
        }
    }

    fn prepared(&self, cell: &Cell, report: &Report) -> Vec<CaseResult> {
        cases::installation(cell, report)
    }
}
