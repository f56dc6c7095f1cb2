//! Reads a spec file with rpm itself, in an isolated root, since reading a spec runs what is in it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::rpmbuild::telling_line;
use crate::sandbox::{
    self, Cancel, Cell, Ended, Exhausted, Job, Limits, Lost, Phase, Report, SandboxError, Slot,
    Staged, quote,
};
use crate::toolchain::Toolchain;

/// How long a spec may take to be read, unless the caller says otherwise.
pub const PARSE_TIME: Duration = Duration::from_secs(10);

/// A dist tag that no spec writes by itself, to see whether the release ends in it.
const MARKER: &str = ".millstreamdist";

/// Which spec to read.
#[derive(Clone, Debug)]
pub struct ParseRequest {
    /// A folder for this alone.
    pub work: PathBuf,
    /// The exported tree.
    pub sources: PathBuf,
    /// The spec's file name in it.
    pub spec_name: String,
    /// The value of `%{dist}`.
    pub dist: String,
    /// The conditions of the bootstrap flavour; empty if there is none.
    pub bootstrap: Vec<String>,
    /// Packages whose macros the spec cannot be read without; mostly empty.
    pub dependencies: Vec<PathBuf>,
    /// Mostly [`PARSE_TIME`].
    pub wall: Duration,
    /// Where it runs.
    pub slot: Slot,
}

/// What a spec says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The source package's name.
    pub name: String,
    /// 0 if none is written.
    pub epoch: u32,
    /// The version.
    pub version: String,
    /// The release, with the requested dist tag if it has one.
    pub release: String,
    /// Whether the release ends in the dist tag, so that a rebuild can raise it.
    pub ends_in_dist: bool,
    /// What must be there to build it, as rpm writes requirements, sorted.
    pub build_requires: Vec<String>,
    /// The same in the bootstrap flavour, if one was asked for.
    pub bootstrap_build_requires: Option<Vec<String>>,
    /// The binary packages in the order of the spec.
    pub packages: Vec<SpecPackage>,
}

/// A binary package, as far as it is known before it is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecPackage {
    /// Its name.
    pub name: String,
    /// `noarch` or the host's architecture.
    pub arch: String,
    /// What is written in the spec, and its own name and version.
    pub provides: Vec<String>,
    /// What is written in the spec.
    pub requires: Vec<String>,
}

/// Why a spec could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// rpm does not accept it.
    #[error("{file}{}: {message}", line.map_or_else(String::new, |line| format!(":{line}")))]
    Invalid {
        /// The spec's file name.
        file: String,
        /// Where rpm noticed, counted from 1. An unclosed `%if` is noticed where it starts or at the end.
        line: Option<u32>,
        /// In rpm's words.
        message: String,
    },
    /// Something in the spec does not end, such as `%(sleep 999)`.
    #[error("{file} could not be read within {seconds} s: something in it does not end")]
    TimedOut {
        /// The spec's file name.
        file: String,
        /// The limit.
        seconds: u64,
    },
    /// Something in the spec uses more than reading a spec ever needs.
    #[error("{file} could not be read: it used up the {what} allowed for it")]
    TooMuch {
        /// The spec's file name.
        file: String,
        /// Memory, disk or processes.
        what: &'static str,
    },
    /// Somebody ended it.
    #[error("the reading of {file} was cancelled")]
    Cancelled {
        /// The spec's file name.
        file: String,
    },
    /// The packages with its macros do not go together.
    #[error("could not install what {file} needs to be read: {line}")]
    Dependencies {
        /// The spec's file name.
        file: String,
        /// What rpm said first.
        line: String,
    },
    /// rpm accepts it and prints something else than it was asked for.
    #[error("rpm's answer about {file} cannot be understood: {answer:?}")]
    Answer {
        /// The spec's file name.
        file: String,
        /// What it printed.
        answer: String,
    },
    /// No isolated root.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The job broke off.
    #[error(transparent)]
    Lost(#[from] Lost),
}

const STEPS: &str = r"
inside /in/parse.sh
take $R/build/answers/source $R/build/answers/marker $R/build/answers/packages out
[ ! -f in/bootstrap ] || take $R/build/answers/bootstrap out
";

/// Reads a spec and waits for it; ends it when the future is dropped.
///
/// # Errors
/// The spec is refused, or could not be looked at.
pub async fn parse(request: ParseRequest, toolchain: Toolchain) -> Result<Spec, SpecError> {
    start(request, toolchain)?.wait().await?
}

/// Starts to read a spec.
///
/// # Errors
/// No thread can be started. Everything else is in the job's answer.
pub fn start(
    request: ParseRequest,
    toolchain: Toolchain,
) -> Result<Job<Result<Spec, SpecError>>, SpecError> {
    Ok(sandbox::start("rpmspec", move |cancel| read(&request, &toolchain, cancel))?)
}

fn read(request: &ParseRequest, toolchain: &Toolchain, cancel: &Cancel) -> Result<Spec, SpecError> {
    fs::create_dir_all(&request.work)
        .map_err(|source| SandboxError::file("make", &request.work, source))?;
    let mut staged = vec![
        Staged::Tree("sources".to_owned(), request.sources.clone()),
        Staged::Text("parse.sh", script(request)),
    ];
    if !request.bootstrap.is_empty() {
        staged.push(Staged::Text("bootstrap", String::new()));
    }
    let cell = Cell {
        work: request.work.clone(),
        slot: request.slot.clone(),
        // Enough for any spec, and little for one that means harm.
        limits: Limits {
            wall: request.wall,
            memory_bytes: 512 << 20,
            processes: 64,
            disk_bytes: 256 << 20,
        },
        rpmdb: toolchain.rpmdb.clone(),
        dependencies: request.dependencies.clone(),
        staged,
        steps: STEPS,
        source_date_epoch: 0,
        log: request.work.join("parse.log"),
    };
    let report = sandbox::run(&cell, cancel)?;
    judge(request, &cell, &report)
}

/// Asks rpm once for each view of the spec; each answer goes to a file, since the spec may print too.
fn script(request: &ParseRequest) -> String {
    let source = r"N %{NAME}\nE %{EPOCHNUM}\nV %{VERSION}\nR %{RELEASE}\n[B %{REQUIRENEVRS}\n]";
    let packages = r"P %{NAME}\nA %{ARCH}\n[p %{PROVIDENEVRS}\n][r %{REQUIRENEVRS}\n]";
    let spec = quote(&format!("/in/sources/{}", request.spec_name));
    let ask = |answer: &str, options: &str, dist: &str, format: &str| {
        format!(
            "rpmspec -q --define '_sourcedir /in/sources' --define {dist} {options} --qf {format} -- \
             {spec} >/build/answers/{answer}\n",
            dist = quote(&format!("dist {dist}")),
            format = quote(format),
        )
    };
    let mut script = "set -eu\nmkdir /build/answers\n".to_owned();
    script += &ask("source", "--srpm", &request.dist, source);
    script += &ask("marker", "--srpm", MARKER, r"R %{RELEASE}\n");
    script += &ask("packages", "", &request.dist, packages);
    if !request.bootstrap.is_empty() {
        let with: Vec<String> =
            request.bootstrap.iter().map(|name| format!("--with {}", quote(name))).collect();
        script += &ask("bootstrap", &format!("--srpm {}", with.join(" ")), &request.dist, source);
    }
    script
}

fn judge(request: &ParseRequest, cell: &Cell, report: &Report) -> Result<Spec, SpecError> {
    let file = request.spec_name.clone();
    let too_much = |what| Err(SpecError::TooMuch { file: file.clone(), what });
    match report.ended {
        Ended::Exited(0) => answers(request, cell),
        Ended::Exited(_) if report.phase == Phase::Install => {
            let line = telling_line(&cell.log).map(|line| line.text).unwrap_or_default();
            Err(SpecError::Dependencies { file, line })
        }
        Ended::Exited(_) => match sandbox::exhausted(&cell.log) {
            Some(Exhausted::Memory) => too_much("memory"),
            Some(Exhausted::Disk) => too_much("disk"),
            Some(Exhausted::Processes) => too_much("processes"),
            None => Err(complaint(&sandbox::tail(&cell.log, 1 << 20), file)),
        },
        Ended::TimedOut => Err(SpecError::TimedOut { file, seconds: request.wall.as_secs() }),
        Ended::OutOfMemory(_) => too_much("memory"),
        Ended::LogTooLong => too_much("disk"),
        Ended::TooManyProcesses(_) => too_much("processes"),
        Ended::Cancelled => Err(SpecError::Cancelled { file }),
    }
}

fn answers(request: &ParseRequest, cell: &Cell) -> Result<Spec, SpecError> {
    let answer = |name: &str| {
        let path = cell.out().join(name);
        fs::read_to_string(&path)
            .map_err(|source| SandboxError::file("read rpm's answer", path, source))
    };
    let strange = |answer: &str| SpecError::Answer {
        file: request.spec_name.clone(),
        answer: answer.chars().take(200).collect(),
    };
    let source = answer("source")?;
    let mut spec = source_package(&source).ok_or_else(|| strange(&source))?;
    let packages = answer("packages")?;
    spec.packages = binary_packages(&packages).ok_or_else(|| strange(&packages))?;
    spec.ends_in_dist = answer("marker")?.trim_end().ends_with(MARKER);
    if !request.bootstrap.is_empty() {
        let source = answer("bootstrap")?;
        let bootstrap = source_package(&source).ok_or_else(|| strange(&source))?;
        spec.bootstrap_build_requires = Some(bootstrap.build_requires);
    }
    Ok(spec)
}

fn source_package(answer: &str) -> Option<Spec> {
    let mut spec = Spec::default();
    for line in answer.lines() {
        let (kind, value) = line.split_once(' ')?;
        match kind {
            "N" => value.clone_into(&mut spec.name),
            "E" => spec.epoch = value.parse().ok()?,
            "V" => value.clone_into(&mut spec.version),
            "R" => value.clone_into(&mut spec.release),
            "B" => push(&mut spec.build_requires, value),
            _ => return None,
        }
    }
    spec.build_requires.sort();
    spec.build_requires.dedup();
    let complete = ![&spec.name, &spec.version, &spec.release].iter().any(|text| text.is_empty());
    complete.then_some(spec)
}

fn binary_packages(answer: &str) -> Option<Vec<SpecPackage>> {
    let mut packages: Vec<SpecPackage> = Vec::new();
    for line in answer.lines() {
        let (kind, value) = line.split_once(' ')?;
        if kind == "P" {
            packages.push(SpecPackage { name: value.to_owned(), ..SpecPackage::default() });
            continue;
        }
        let package = packages.last_mut()?;
        match kind {
            "A" => value.clone_into(&mut package.arch),
            "p" => push(&mut package.provides, value),
            "r" => push(&mut package.requires, value),
            _ => return None,
        }
    }
    Some(packages)
}

/// Features of rpm itself are always there, and no package has them.
fn push(list: &mut Vec<String>, value: &str) {
    if !value.starts_with("rpmlib(") {
        list.push(value.to_owned());
    }
}

/// Finds rpm's first error and the line it names: `error: line 12: …` or `error: FILE: line 12: …`.
fn complaint(log: &str, file: String) -> SpecError {
    let errors = || log.lines().filter_map(|line| line.strip_prefix("error: "));
    let numbered = |text: &str| line_number(text).is_some();
    let first = errors().find(|text| numbered(text)).or_else(|| errors().next());
    let Some(text) = first else {
        let message = log.lines().last().unwrap_or("rpmspec failed and said nothing").to_owned();
        return SpecError::Invalid { file, line: None, message };
    };
    let text = text.replace("/in/sources/", "");
    let text = text.strip_prefix(&format!("{file}: ")).unwrap_or(&text);
    match line_number(text) {
        Some((line, message)) => {
            SpecError::Invalid { line: Some(line), message: message.to_owned(), file }
        }
        None => SpecError::Invalid { line: None, message: text.to_owned(), file },
    }
}

/// Splits `line 12: Unknown tag`, wherever the number stands.
fn line_number(text: &str) -> Option<(u32, &str)> {
    let (_, rest) = text.split_once("line ")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let message = rest.get(digits..)?.trim_start_matches([':', ')']).trim();
    Some((rest.get(..digits)?.parse().ok()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: &str) {
        assert_eq!(complaint(log, "a.spec".to_owned()).to_string(), expected);
    }

    #[test]
    fn errors_name_file_and_line() {
        check(
            "warning: x\nerror: line 6: Unknown tag: Foo: bar\nerror: query of specfile failed\n",
            "a.spec:6: Unknown tag: Foo: bar",
        );
        check(
            "error: /in/sources/a.spec: line 10: %endif with no %if\n",
            "a.spec:10: %endif with no %if",
        );
        check(
            "error: Unable to open /in/sources/x: No such file or directory\n",
            "a.spec: Unable to open x: No such file or directory",
        );
        check("", "a.spec: rpmspec failed and said nothing");
    }

    #[test]
    fn answers_that_nobody_asked_for_are_refused() {
        assert_eq!(source_package("nonsense"), None);
        assert_eq!(source_package("N a\nE 0\nV 1\n"), None, "there is no release");
        assert_eq!(binary_packages("A noarch\n"), None, "there is no name before it");
        let packages = binary_packages("P a\nA noarch\np a = 1\nr rpmlib(X) <= 1\nr b\n").unwrap();
        assert_eq!(packages[0].requires, ["b"]);
    }
}
