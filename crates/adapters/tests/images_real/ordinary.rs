//! The same tests as an ordinary user, and what is left when the parent is killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use adapters::image;

use crate::fixtures::{is_root, processes_with};
use crate::images::Gallery;
use crate::limits::until;

/// A copy of this test program, where any user can run it.
fn program(folder: &tempfile::TempDir) -> PathBuf {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.path().join("tests");
    // Another process writes the copy: a descriptor of our own could be inherited by what a test beside this one starts
    // meanwhile, and a file that is open for writing cannot be run.
    let mut copy = Command::new("install");
    copy.args(["-m", "755"]).arg(std::env::current_exe().unwrap()).arg(&program);
    assert!(copy.status().unwrap().success(), "could not copy the test program");
    program
}

#[test]
fn it_works_as_an_ordinary_user_too() {
    // Whoever runs the tests without being root has all of them run as an ordinary user already.
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let answer = Command::new("setpriv")
        .args(["--reuid", "65000", "--regid", "65000", "--clear-groups"])
        .arg(program(&folder))
        .args([
            "builds::packages_and",
            "stages::several",
            "isolation::",
            "testing::what",
            "limits::cancel",
        ])
        .args(["--test-threads", "2"])
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success(), "{printed}");
    assert!(
        printed.contains("stages::several_stages_copy_from_each_other_and_are_reproduced ... ok")
    );
}

#[tokio::test]
async fn a_parent_that_is_killed_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(program(&folder))
        .args(["--exact", "ordinary::build_for_ever", "--nocapture"])
        .env(FOR_EVER, "yes")
        // What it leaves when it is killed goes with this folder.
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mark = format!("mark-of-{}", parent.id());
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line.contains("the build is running")), "it never ran");
    assert!(!processes_with(&mark).is_empty());
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The kernel kills the tree on its own time.
    until(|| processes_with(&mark).is_empty()).await;
}

/// Says to the test binary that it is the parent to be killed.
const FOR_EVER: &str = "MILLSTREAM_TEST_IMAGE_FOR_EVER";

/// Not a test: the parent that the test above kills. By itself it does nothing.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a parent tells its child by the environment")]
async fn build_for_ever() {
    if std::env::var_os(FOR_EVER).is_none() {
        return;
    }
    let gallery = Gallery::empty(151).await;
    let mark = format!("mark-of-{}", std::process::id());
    let request = gallery.probe(&format!("setsid sh -c ': {mark}; sleep 600' & sleep 600"));
    let job = image::start(request, gallery.bench.toolchain.clone()).unwrap();
    until(|| !processes_with(&mark).is_empty()).await;
    println!("the build is running");
    let _ = job.wait().await;
}
