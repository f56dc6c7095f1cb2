//! Runs demos, to their end or until they are interrupted.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::report::Report;

pub(crate) const MILLSTREAM: &str = env!("CARGO_BIN_EXE_millstream");
pub(crate) const DISTRIBUTION: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/distribution");

/// A folder whose content every user may read.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Runs `command demo` to its end.
pub(crate) fn demo(mut command: Command, data: &Path, arguments: &[&str]) -> Output {
    let distribution = PathBuf::from(DISTRIBUTION).canonicalize().unwrap();
    command.args(["demo", "--json", "--data"]).arg(data);
    if !arguments.contains(&"--distribution") {
        command.arg("--distribution").arg(distribution);
    }
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The Python that reads composes.
pub(crate) fn python() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/python-venv");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compose-readers");
    let output = Command::new(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn report(output: &Output) -> Report {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error} in what it printed; it ended with {} and said\n{said}", output.status)
    })
}

/// Starts a demo, interrupts it in the middle of a build, and looks that nothing of it goes on.
pub(crate) fn interrupt(data: &Path) {
    let mut command = Command::new(MILLSTREAM);
    command.arg("demo").arg("--data").arg(data).arg("--distribution").arg(DISTRIBUTION);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let building = said.find(|line| line.contains("building "));
    assert!(building.is_some(), "it ended before it built anything");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let rest: Vec<String> = said.collect();
    assert!(rest.iter().any(|line| line.starts_with("interrupted")), "{rest:?}");
    assert_eq!(processes_about(data), [""; 0]);
}

/// The command lines of processes that name a folder.
pub(crate) fn processes_about(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    // A process may end while it is looked at.
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&*folder.to_string_lossy())).collect()
}
