//! The example distribution, run through the real binary: every push with what it must cause, and the proof.

#[cfg(test)]
mod report;

#[cfg(test)]
mod running;

#[cfg(test)]
mod looking;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use looking::{check_proof, check_published, tell};
use running::{DISTRIBUTION, MILLSTREAM, demo, folder, interrupt, python, report};

/// All pushes, told in a few lines each.
const PUSHES: &str = include_str!("pushes.txt");

#[test]
fn every_push_does_what_it_must_and_what_is_left_alone_would_come_out_the_same() {
    let folder = folder();
    let data = folder.path().join("data");
    interrupt(&data);
    // The folder of a demo that was interrupted is good for another.
    let output = demo(Command::new(MILLSTREAM), &data, &["--prove", "--python", &python()]);
    let report = report(&output);
    let told: Vec<String> = report.pushes.iter().map(tell).collect();
    assert_eq!(told.join("\n"), PUSHES);
    for push in &report.pushes {
        assert_eq!(push.differences, [""; 0], "{}", push.name);
    }
    check_published(&report);
    check_proof(&report);
    assert!(report.as_expected && output.status.success());
}

#[test]
fn an_ordinary_user_sees_the_same() {
    let folder = folder();
    let binary = folder.path().join("millstream");
    // By another process: a file that is open for writing, if only in what another test starts, cannot be run.
    assert!(
        Command::new("install")
            .args(["-m", "755", MILLSTREAM])
            .arg(&binary)
            .status()
            .unwrap()
            .success()
    );
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    // Whoever is no ordinary user becomes one.
    let mut command = Command::new(&binary);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
        command = Command::new("setpriv");
        command.args(["--reuid", "65000", "--regid", "65000", "--clear-groups"]).arg(&binary);
    }
    let distribution = folder.path().join("distribution");
    // The checkout may lie in a folder that is closed to others.
    let copy = |from: &Path, to: &Path| {
        assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    };
    copy(DISTRIBUTION.as_ref(), &distribution);
    let readers = folder.path().join("readers");
    copy(Path::new(&python()).ancestors().nth(2).unwrap(), &readers);
    let (distribution, python) = (
        distribution.to_str().unwrap(),
        readers.join("bin/python3").to_string_lossy().into_owned(),
    );
    let arguments = ["--push", "1", "--distribution", distribution, "--python", &python];
    let output = demo(command, &data, &arguments);
    let report = report(&output);
    let told: Vec<String> = report.pushes.iter().map(tell).collect();
    assert!(PUSHES.starts_with(&told.join("\n")), "{}", told.join("\n"));
    let names: Vec<&str> = report.pushes.iter().map(|push| push.name.as_str()).collect();
    assert_eq!(names, ["0-from-nothing", "1-abi-kept-fix"]);
    check_published(&report);
    assert!(report.as_expected && output.status.success());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let folder = folder();
    let check = |arguments: &[&str], expected: &str| {
        let data = folder.path().join("data");
        let output = demo(Command::new(MILLSTREAM), &data, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!data.exists());
    };
    check(&["--push", "99"], "there is no push 99; there are 1-abi-kept-fix, 2-new-soname");
    check(&["--distribution", "/nowhere"], "could not read /nowhere");
    check(&["--prove=maybe"], "--prove");

    fs::write(folder.path().join("letters"), "dear").unwrap();
    let output = demo(Command::new(MILLSTREAM), folder.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("holds letters and was not made by a demo"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
