//! Builds a source package in an isolated root and puts what came of it in place, once.

mod output;
mod telling;

use std::path::PathBuf;

pub use output::{Built, collect};
pub use telling::{TellingLine, telling_line, telling_line_of};

use crate::sandbox::{
    self, Cancel, Cell, Ended, Exhausted, Job, Limits, Phase, Report, SandboxError, Slot, Staged,
    quote,
};
use crate::toolchain::Toolchain;

/// What to build, with what, and within which limits.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// A folder for this build alone. It is made if need be; what the build put there is removed after.
    pub work: PathBuf,
    /// The exported tree: spec, sources and patches side by side.
    pub sources: PathBuf,
    /// The spec's file name in it.
    pub spec_name: String,
    /// The packages to install first: the whole closure of what the spec requires, without the toolchain.
    pub dependencies: Vec<PathBuf>,
    /// The value of `%{dist}`, such as `.f44.1`.
    pub dist: String,
    /// Conditions to switch on, each by `--with`.
    pub with: Vec<String>,
    /// The time the build is told it is, in seconds of the Unix epoch.
    pub source_date_epoch: i64,
    /// When to end it.
    pub limits: Limits,
    /// Where the log goes, line by line.
    pub log: PathBuf,
    /// Where it runs.
    pub slot: Slot,
    /// The folder that exists when, and only when, the build has succeeded.
    pub output: PathBuf,
}

/// How a build ended. What is the machine's fault is not here but a [`BuildError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Packages were made.
    Succeeded(Built),
    /// rpmbuild refused or failed.
    Failed {
        /// Its exit code.
        exit: i32,
        /// The line of the log that says most about the reason.
        line: Option<TellingLine>,
    },
    /// It took longer than its limit.
    TimedOut,
    /// It needed more memory than its limit.
    OutOfMemory,
    /// It had more processes than its limit.
    TooManyProcesses,
    /// It filled its disk, or wrote a log without end.
    DiskFull,
    /// Somebody ended it.
    Cancelled,
}

/// Why a build could not be attempted or its result not be kept. Trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No isolated root.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The dependencies do not go together, so their choice is wrong, not the package.
    #[error("rpm could not install the build's dependencies: {line}")]
    Dependencies {
        /// What rpm said first.
        line: String,
    },
    /// rpmbuild claims success and there is no source package, or something that is no package.
    #[error("rpmbuild succeeded, but {what} in {folder}")]
    Output {
        /// What is missing or strange.
        what: String,
        /// Where.
        folder: PathBuf,
    },
    /// The record of an earlier build cannot be read.
    #[error("could not read the record of a build {path}: {source}")]
    Record {
        /// Where.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Runs in the outer script: see `root.sh`. The packages leave the root only when rpmbuild has ended.
const STEPS: &str = r#"
status=0
inside /in/build.sh || status=$?
echo $status >out/exit
if [ $status -eq 0 ]; then
	mkdir out/files
	take $R/build/RPMS/*.rpm $R/build/SRPMS/*.rpm out/files
	rpm -qp --nosignature --nodigest --qf '[%{REQUIRENEVRS}\n]' out/files/*.src.rpm >out/build-requires
fi
"#;

/// Starts a build. If its output is in place already, that is the answer and nothing is run.
///
/// # Errors
/// No thread can be started. Everything else is in the job's answer.
pub fn start(
    request: BuildRequest,
    toolchain: Toolchain,
) -> Result<Job<Result<Outcome, BuildError>>, BuildError> {
    Ok(sandbox::start("rpmbuild", move |cancel| build(&request, &toolchain, cancel))?)
}

fn build(
    request: &BuildRequest,
    toolchain: &Toolchain,
    cancel: &Cancel,
) -> Result<Outcome, BuildError> {
    if let Some(earlier) = collect(&request.output)? {
        return Ok(Outcome::Succeeded(earlier));
    }
    let cell = Cell {
        work: request.work.clone(),
        slot: request.slot.clone(),
        limits: request.limits.clone(),
        rpmdb: toolchain.rpmdb.clone(),
        dependencies: request.dependencies.clone(),
        staged: vec![
            Staged::Tree("sources".to_owned(), request.sources.clone()),
            Staged::Text("build.sh", script(request)),
        ],
        steps: STEPS,
        source_date_epoch: request.source_date_epoch,
        log: request.log.clone(),
    };
    let report = sandbox::run(&cell, cancel)?;
    judge(request, &cell, &report)
}

/// The script inside: one path and one time for all builds, and rpm's own check of BuildRequires.
fn script(request: &BuildRequest) -> String {
    let mut rpmbuild =
        format!("rpmbuild -ba --define {}", quote(&format!("dist {}", request.dist)));
    for condition in &request.with {
        rpmbuild.push_str(" --with ");
        rpmbuild.push_str(&quote(condition));
    }
    format!(
        "set -eu\n\
         cp -r /in/sources /build/SOURCES\n\
         find /build/SOURCES -exec touch --no-dereference --date=@{epoch} {{}} +\n\
         exec {rpmbuild} -- {spec}\n",
        epoch = request.source_date_epoch,
        spec = quote(&format!("/build/SOURCES/{}", request.spec_name)),
    )
}

fn judge(request: &BuildRequest, cell: &Cell, report: &Report) -> Result<Outcome, BuildError> {
    let exit = match report.ended {
        Ended::Exited(_) if report.phase == Phase::Install => {
            let line = telling_line(&request.log).map(|line| line.text);
            let line = line.unwrap_or_else(|| "it said nothing".to_owned());
            return Err(BuildError::Dependencies { line });
        }
        Ended::Exited(outer) => match sandbox::exit_of(cell) {
            // The build is good, and what failed is taking its packages out of the root.
            Some(0) if outer != 0 => return Err(not_taken_out(request, cell)),
            inner => inner.unwrap_or(outer),
        },
        Ended::TimedOut => return Ok(Outcome::TimedOut),
        Ended::OutOfMemory(_) => return Ok(Outcome::OutOfMemory),
        Ended::TooManyProcesses(_) => return Ok(Outcome::TooManyProcesses),
        Ended::LogTooLong => return Ok(Outcome::DiskFull),
        Ended::Cancelled => return Ok(Outcome::Cancelled),
    };
    if exit == 0 {
        let built = output::place(&cell.out(), &request.output, report.duration)?;
        return Ok(Outcome::Succeeded(built));
    }
    Ok(match sandbox::exhausted(&request.log) {
        Some(Exhausted::Memory) => Outcome::OutOfMemory,
        Some(Exhausted::Disk) => Outcome::DiskFull,
        Some(Exhausted::Processes) => Outcome::TooManyProcesses,
        None => Outcome::Failed { exit, line: telling_line(&request.log) },
    })
}

fn not_taken_out(request: &BuildRequest, cell: &Cell) -> BuildError {
    let end = sandbox::tail(&request.log, 4096);
    let said = end.lines().last().unwrap_or("nothing was said");
    BuildError::Output {
        what: format!("its packages could not be taken out ({said})"),
        folder: cell.out(),
    }
}
