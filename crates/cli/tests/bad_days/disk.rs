//! A full disk: the server's folders lie on small file systems of its own, which are filled and emptied again.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Server, published};
use crate::sources::{Package, Spec};

/// Mounts a file system on each of two folders and becomes the program in the other arguments.
const MOUNT: &str = r#"
mount -t tmpfs -o size=64m,mode=755 none "$1" && mount -t tmpfs -o size=16m,mode=755 none "$2" || exit 1
shift 2
exec "$@"
"#;

const GATED: &str = "--- !Policy
product_versions: [f44]
decision_context: millstream
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: tests.hello}
";

/// In git's words.
const GIT_HAS_NO_SPACE: &str = "Out of diskspace";

/// A server whose folders can be filled.
struct Cramped {
    server: Server,
    /// Its folders as they look from outside.
    data: PathBuf,
    database: PathBuf,
}

#[test]
fn a_full_disk_is_told_and_waited_out() {
    let cramped = Cramped::start();
    let folder = cramped.server.folder.path();
    let package = Package::below(&folder.join("distgit"), &folder.join("clones"), "tight");
    package.push_spec(&Spec::of("tight").write());
    cramped.server.until_step("tight", "published");
    a_source_is_read_later(&cramped, &package);
    a_build_is_tried_again(&cramped, &package);
    a_publication_waits(&cramped, &package);
    a_message_is_sent_again(&cramped);
}

impl Cramped {
    fn start() -> Self {
        let mut server = Server::prepare(None, "");
        let folder = server.folder.path().to_owned();
        let [data, database] = ["data", "database"].map(|name| folder.join(name));
        for folder in [&data, &database] {
            fs::create_dir(folder).unwrap();
        }
        server.keep_in(&folder.join("distgit"), &database.join("store.sqlite"));
        // The mounts are seen by the server alone, and through it.
        server.run_through(launcher(&[&data, &database]), entry);
        let root = PathBuf::from(format!("/proc/{}/root", server.pid()));
        let seen = |path: &Path| root.join(path.strip_prefix("/").unwrap());
        Self { data: seen(&data), database: seen(&database), server }
    }

    fn until_told(&self, what: &str) {
        self.server.until(what, || self.server.log().contains(what).then_some(()));
    }

    /// The folder that users of the repository see.
    fn current(&self) -> PathBuf {
        fs::read_link(self.data.join("published/f44/current")).unwrap()
    }
}

/// Only root may mount; anybody is root in a user namespace, and in one below that the same user again.
fn launcher(folders: &[&Path; 2]) -> Command {
    let own = fs::metadata("/proc/self").unwrap();
    let mut launcher = Command::new("unshare");
    if !is_root() {
        launcher.args(["--user", "--map-root-user"]);
    }
    launcher.args(["--mount", "sh", "-c", MOUNT, "mount"]).args(folders);
    if !is_root() {
        let ids = [format!("--map-user={}", own.uid()), format!("--map-group={}", own.gid())];
        // Only the mounts of its own can be entered from outside.
        launcher.args(["unshare", "--user", "--mount"]).args(ids);
    }
    launcher.arg("setpriv");
    launcher
}

/// How to see what the server sees.
fn entry(pid: u32) -> Vec<String> {
    let mut words = vec!["nsenter".to_owned(), "--mount".to_owned()];
    if !is_root() {
        words.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
    }
    words.extend(["--target".to_owned(), pid.to_string(), "--".to_owned()]);
    words
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Leaves no room in a folder's file system.
fn fill(folder: &Path) {
    let mut ballast = File::create(folder.join("ballast")).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

fn make_room(folder: &Path) {
    fs::remove_file(folder.join("ballast")).unwrap();
}

fn a_source_is_read_later(cramped: &Cramped, package: &Package) {
    let server = &cramped.server;
    fill(&cramped.data);
    package.push_spec(&Spec::of("tight").text("second").write());
    cramped.until_told("could not look at a source, will look again artifact=rpms/tight#f44");
    assert_eq!(server.event("tight").unwrap()["state"], "new");
    make_room(&cramped.data);
    server.until("another build", || (server.builds("tight").len() == 2).then_some(()));
    server.until_step("tight", "published");
}

fn a_build_is_tried_again(cramped: &Cramped, package: &Package) {
    let server = &cramped.server;
    let signed = ["rpms/tight#f44", "--author", "ann", "--reason", "a full disk"];
    server.done(&[&["hold"], &signed[..]].concat());
    package.push_spec(&Spec::of("tight").text("third").write());
    server.until_step("tight", "rebuild");
    fill(&cramped.data);
    let current = cramped.current();
    server.done(&[&["release-hold"], &signed[..]].concat());
    let step = server.until_step("tight", "failed");
    assert_eq!(step["failure"]["kind"], "errored", "{step}");
    assert!(step["failure"]["message"].as_str().unwrap().contains(GIT_HAS_NO_SPACE), "{step}");
    let build = server.builds("tight")[0].clone();
    assert_eq!(build["attempt"], 3, "{build}");
    assert!(
        server.done(&["build", "show", build["nvr"].as_str().unwrap()]).contains(GIT_HAS_NO_SPACE)
    );
    assert_eq!(cramped.current(), current);
    make_room(&cramped.data);
    server.done(&["retry", "--failed-only", "--author", "ann"]);
    server.until_step("tight", "published");
    let after = server.builds("tight");
    assert_eq!((after.len(), &after[0]["number"]), (3, &build["number"]));
}

fn a_publication_waits(cramped: &Cramped, package: &Package) {
    let server = &cramped.server;
    let test = ("tests/hello", "#!/bin/sh\nexit 1\n");
    package.push(&[("gating.yaml", GATED), test]);
    server.until_step("tight", "held");
    fill(&cramped.data);
    let (current, files) = (cramped.current(), published(&cramped.data));
    let waive = ["gate", "waive", "rpms/tight#f44", "--case", "tests.hello"];
    server
        .done(&[&waive[..], &["--author", "ann", "--reason", "only the disk is tested"]].concat());
    cramped.until_told(r#"could not go on, will look again stage="publish""#);
    assert_eq!(server.step("tight").unwrap()["state"], "passed");
    assert_eq!((cramped.current(), published(&cramped.data)), (current.clone(), files));
    make_room(&cramped.data);
    server.until_step("tight", "published");
    assert_ne!(cramped.current(), current);
}

/// SQLite writes on in the journal it has, so that a full disk is noticed only when that is used up, to less than what a
/// message takes.
fn use_up_the_journal(server: &Server) {
    for size in [1 << 20, 1 << 16, 1 << 12] {
        let text = "x".repeat(size);
        let stored = (0..64).take_while(|number| {
            let message = format!(
                r#"{{"id": "filler-{size}-{number}", "topic": "nobody.knows", "body": {{"text": "{text}"}}}}"#
            );
            server.post(None, &message).0 == 202
        });
        assert!(stored.count() < 64, "the disk is not full");
    }
}

/// Now the database has no room.
fn a_message_is_sent_again(cramped: &Cramped) {
    let server = &cramped.server;
    let reason = "a reason ".repeat(4000);
    let message = format!(
        r#"{{"id": "again", "topic": "millstream.request", "body":
        {{"artifact": "rpms/tight#f44", "request": "retest", "by": "ann", "reason": "{reason}"}}}}"#
    );
    fill(&cramped.database);
    use_up_the_journal(server);
    let (status, problem) = server.post(None, &message);
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("full"), "{problem}");
    make_room(&cramped.database);
    let (status, answer) = server.post(None, &message);
    assert_eq!(status, 202, "{answer}\n{}", server.log());
    server.until("the request to be answered", || {
        let event = server.event("tight")?;
        (event["event"]["kind"] == "requested" && event["state"] == "planned").then_some(())
    });
    server.until_step("tight", "retested");
}
