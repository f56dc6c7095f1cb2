//! The test cases that every compose has: its files are what they are said to be, and it can be installed.

mod groups;
mod productmd;
mod repodata;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::closure::Closures;
use crate::testing::{CaseOutcome, CaseResult};

/// Every file that the metadata names is there, with the sizes and checksums it says.
pub const METADATA: &str = "millstream.compose-metadata";
/// Everything in each repository can be installed from it alone.
pub const CLOSURE: &str = "millstream.compose-closure";
/// Groups name packages that are in the repository.
pub const COMPS: &str = "millstream.comps";

/// What to check, and with what.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The folder of a compose, as it was written.
    pub folder: PathBuf,
    /// The repositories, or single packages, that stand for the host's toolchain.
    pub toolchain: Vec<PathBuf>,
    /// Where each case's log goes, as `CASE.log`.
    pub logs: PathBuf,
}

/// What a case found wrong: nothing, one thing in each line; or why it could not look.
type Findings = Result<Vec<String>, String>;

/// Runs all cases of a compose.
pub async fn check(request: &CheckRequest, closures: &Closures) -> Vec<CaseResult> {
    let compose = request.folder.join("compose");
    let folder = request.folder.clone();
    let read = tokio::task::spawn_blocking(move || (productmd::check(&folder), groups(&folder)));
    let (metadata, comps) = match read.await {
        Ok((metadata, comps)) => (Ok(metadata), comps),
        Err(error) => (Err(error.to_string()), Err("the check before it died".to_owned())),
    };
    let closure = closure(&compose, &request.toolchain, closures).await;
    [(METADATA, metadata), (CLOSURE, closure), (COMPS, comps)]
        .into_iter()
        .map(|(case, findings)| result(&request.logs, case, findings))
        .collect()
}

fn groups(folder: &Path) -> Findings {
    let compose = folder.join("compose");
    let mut findings = Vec::new();
    for tree in productmd::repositories(&compose)? {
        findings.extend(groups::check(&compose, &tree)?);
    }
    Ok(findings)
}

async fn closure(compose: &Path, toolchain: &[PathBuf], closures: &Closures) -> Findings {
    let mut findings = Vec::new();
    let trees: BTreeSet<String> = productmd::repositories(compose)?;
    for tree in trees {
        let mut repositories = vec![compose.join(&tree)];
        repositories.extend(toolchain.iter().cloned());
        let packages =
            closures.installable(&repositories).await.map_err(|error| error.to_string())?;
        let broken = packages.into_iter().filter(|package| !package.problems.is_empty());
        findings.extend(broken.map(|package| {
            let problems = package.problems.join("; ");
            format!("{tree}: {} cannot be installed: {problems}", package.nevra)
        }));
    }
    Ok(findings)
}

/// Writes the log of a case and says how it ended.
fn result(logs: &Path, case: &str, findings: Findings) -> CaseResult {
    let (text, outcome) = match findings {
        Ok(findings) => (
            findings.join("\n"),
            match findings.into_iter().next() {
                None => CaseOutcome::Passed,
                Some(line) => CaseOutcome::Failed { line },
            },
        ),
        Err(reason) => (reason.clone(), CaseOutcome::Errored { reason }),
    };
    let log = logs.join(format!("{case}.log"));
    let text = if text.is_empty() { "everything is as it should be".to_owned() } else { text };
    let written = fs::create_dir_all(logs).and_then(|()| fs::write(&log, format!("{text}\n")));
    let outcome = match written {
        Ok(()) => outcome,
        Err(error) => {
            let reason = format!("could not write {}: {error}", log.display());
            CaseOutcome::Errored { reason }
        }
    };
    CaseResult { case: case.to_owned(), outcome, duration: Duration::ZERO, log }
}
