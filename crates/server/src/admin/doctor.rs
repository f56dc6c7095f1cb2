//! Whether the machine has what a server needs, and what to do about what it lacks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use adapters::distgit::Scanner;
use adapters::sandbox::FIRST_UID;
use serde::Serialize;
use tokio::process::Command;

use super::{AdminError, database};
use crate::config::Config;

/// Programs that are run, and Debian's package of each.
const PROGRAMS: [(&str, &str); 19] = [
    ("git", "git"),
    ("rpm", "rpm"),
    ("rpmbuild", "rpm"),
    ("rpm2cpio", "rpm2cpio"),
    ("createrepo_c", "createrepo-c"),
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("make", "make"),
    ("patch", "patch"),
    ("perl", "perl"),
    ("bash", "bash"),
    ("python3", "python3"),
    ("eu-strip", "elfutils"),
    ("buildah", "buildah"),
    ("crun", "crun"),
    ("skopeo", "skopeo"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("df", "coreutils"),
];

/// Less free space than this, in bytes, and builds will fail.
const LITTLE_SPACE: u64 = 1 << 30;

/// What was looked at.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Diagnosis(pub Vec<Finding>);

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good.
    pub remedy: Option<String>,
}

impl Diagnosis {
    /// Whether everything is as it should be.
    pub fn is_healthy(&self) -> bool {
        self.0.iter().all(|finding| finding.good)
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
        for Finding { what, good, found, remedy } in &self.0 {
            let mark = if *good { "good" } else { "BAD " };
            writeln!(f, "{mark}  {what:width$}  {found}")?;
            if let Some(remedy) = remedy {
                writeln!(f, "      {:width$}  -> {remedy}", "")?;
            }
        }
        Ok(())
    }
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), good: true, found: found.into(), remedy: None }
}

fn bad(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), good: false, found: found.into(), remedy: Some(remedy.into()) }
}

/// Looks at everything. Changes nothing.
pub async fn examine(config: &Config) -> Diagnosis {
    let mut findings = programs().await;
    findings.push(dnf().await);
    findings.push(namespaces().await);
    findings.push(store(config).await);
    findings.push(distgit(config).await);
    findings.push(space(config).await);
    Diagnosis(findings)
}

async fn programs() -> Vec<Finding> {
    let mut missing = Vec::new();
    for (program, package) in PROGRAMS {
        // The shell looks where every later run will look.
        let found = run("sh", &["-c", "command -v \"$1\"", "sh", program]).await;
        if found.is_err() {
            let remedy = format!("install {package}: apt-get install {package}");
            missing.push(bad(program, "this program is not there", remedy));
        }
    }
    if missing.is_empty() {
        missing.push(good("programs", format!("all {} are there", PROGRAMS.len())));
    }
    missing
}

/// dnf's library answers what can be installed. It belongs to the system's own Python.
async fn dnf() -> Finding {
    match run("/usr/bin/python3", &["-I", "-c", "import dnf; print(dnf.VERSION)"]).await {
        Ok(version) => good("dnf", format!("version {}", version.trim())),
        Err(problem) => bad("dnf", problem, "install it: apt-get install python3-dnf"),
    }
}

/// An isolated root is made by an ordinary user; root becomes one first.
async fn namespaces() -> Finding {
    let id = FIRST_UID.to_string();
    let mut words = vec!["--reuid", &id, "--regid", &id, "--clear-groups"];
    if !is_root() {
        words.clear();
    }
    words.extend([
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "true",
    ]);
    match run("setpriv", &words).await {
        Ok(_) => good("user namespaces", "can be made"),
        Err(problem) => {
            let remedy = "allow them: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0; in a \
                          container, allow unshare in its seccomp profile";
            bad("user namespaces", problem, remedy)
        }
    }
}

/// Whether the effective user is root, as the kernel says.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    ids.split_whitespace().nth(1) == Some("0")
}

async fn store(config: &Config) -> Finding {
    let what = "database";
    match database::check(config).await {
        Ok(check) if check.is_sound() => good(what, "is sound"),
        Ok(check) => bad(
            what,
            check.problems.join("; "),
            "run `millstream db migrate`, or restore it from a backup",
        ),
        Err(AdminError::Input(problem)) => bad(what, problem, "run `millstream init`"),
        Err(error) => bad(what, error.to_string(), "see to the database, then look again"),
    }
}

async fn distgit(config: &Config) -> Finding {
    let (what, root) = ("dist-git", config.distgit_root());
    if !root.is_dir() {
        return bad(what, format!("{} is not there", root.display()), "run `millstream init`");
    }
    match Scanner::new(&root).scan().await {
        Ok(scan) => match scan.problems.first() {
            None => good(
                what,
                format!("{} repositories, {} branches", scan.read.len(), scan.tips.len()),
            ),
            Some(problem) => {
                let found = format!(
                    "{}: {} ({} problems)",
                    problem.place,
                    problem.error,
                    scan.problems.len()
                );
                bad(what, found, "mend or remove the repository")
            }
        },
        Err(error) => bad(what, error.to_string(), "see to the folder, then look again"),
    }
}

async fn space(config: &Config) -> Finding {
    let what = "disk space";
    let folder = existing(&config.data);
    let shown = folder.display().to_string();
    let output = run("df", &["--output=avail", "--block-size=1", "--", &shown]).await;
    let free = output
        .as_ref()
        .ok()
        .and_then(|text| text.lines().nth(1))
        .and_then(|line| line.trim().parse::<u64>().ok());
    match (free, output) {
        (Some(free), _) if free >= LITTLE_SPACE => {
            good(what, format!("{} MiB free in {shown}", free >> 20))
        }
        (Some(free), _) => bad(
            what,
            format!("{} MiB free in {shown}", free >> 20),
            "make room: builds need a gigabyte",
        ),
        (None, Ok(text)) => bad(what, format!("df said {text:?}"), "look by hand"),
        (None, Err(problem)) => bad(what, problem, "look by hand"),
    }
}

/// The folder, or the nearest one above it that is there.
fn existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Runs a program to its end; what it printed, or what it complained about.
async fn run(program: &str, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("could not run {program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = complaint.lines().last().unwrap_or("it said nothing").to_owned();
    Err(format!("{program} ended with {}: {line}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_comes_with_a_remedy() {
        let diagnosis = Diagnosis(vec![good("git", "2.39"), bad("dnf", "no module", "install it")]);
        assert!(!diagnosis.is_healthy());
        assert_eq!(
            diagnosis.to_string(),
            "good  git  2.39\nBAD   dnf  no module\n           -> install it\n"
        );
    }
}
