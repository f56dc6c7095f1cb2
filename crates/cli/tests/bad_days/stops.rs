//! What people stop: freezes, holds, cancelled plans.

use std::fs;

use crate::server::Server;
use crate::sources::{Package, Spec};

/// No other process on the machine sleeps that long.
const SLEEP: &str = "sleep 98765";

#[test]
fn what_is_stopped_stays_until_it_is_let_go() {
    let server = Server::start("");
    let (base, user) = (Package::new(&server, "base"), Package::new(&server, "user"));
    base.push_spec(&Spec::of("base").write());
    user.push_spec(&Spec::of("user").preamble("BuildRequires: base\n").write());
    server.until_step("user", "published");
    a_freeze_leaves_out(&server, &base);
    a_hold_keeps_from_starting(&server, &base);
    a_cancelled_plan_ends_its_builds(&server);
}

fn signed<'a>(words: &[&'a str], reason: &'a str) -> Vec<&'a str> {
    [words, &["--author", "ann", "--reason", reason]].concat()
}

fn a_freeze_leaves_out(server: &Server, base: &Package) {
    server.done(&signed(&["freeze", "rpms/user#f44"], "release week"));
    base.push_spec(&Spec::of("base").text("second").write());
    server.until("another build", || (server.builds("base").len() == 2).then_some(()));
    let step = server.until_step("base", "published");
    let why = server.json(&["why-not", "rpms/user#f44"]);
    assert_eq!(why["plan"], step["plan"]);
    assert_eq!(why["stops"][0]["sentence"], "frozen by ann: release week", "{why}");
    assert_eq!(why["events"][0]["artifact"], "rpms/base#f44", "{why}");
    assert_eq!(server.builds("user").len(), 1);
    server.done(&signed(&["release-hold", "rpms/user#f44"], "it is over"));
    server.until("the frozen one to be built", || (server.builds("user").len() == 2).then_some(()));
    server.until_step("user", "published");
}

fn a_hold_keeps_from_starting(server: &Server, base: &Package) {
    server.done(&signed(&["hold", "rpms/user#f44"], "wait for me"));
    base.push_spec(&Spec::of("base").text("third").write());
    server.until("another build", || (server.builds("base").len() == 3).then_some(()));
    server.until_step("user", "rebuild");
    server.until("the gate of base", || {
        let step = server.step("base")?;
        matches!(step["state"].as_str()?, "passed" | "published").then_some(())
    });
    let status = server.done(&["status"]);
    assert!(status.contains("stopped        rpms/user#f44 (`millstream hold list`)"), "{status}");
    assert_eq!(
        (server.builds("user").len(), &server.step("user").unwrap()["state"]),
        (2, &"rebuild".into())
    );
    server.done(&signed(&["release-hold", "rpms/user#f44"], "here I am"));
    server.until("the held one to be built", || (server.builds("user").len() == 3).then_some(()));
    server.until_step("user", "published");
}

fn a_cancelled_plan_ends_its_builds(server: &Server) {
    let slow = Package::new(server, "slow");
    slow.push_spec(&Spec::of("slow").build(SLEEP).write());
    server.until("the build to sleep", || (sleepers() > 0).then_some(()));
    let plan = server.step("slow").unwrap()["plan"].to_string();
    server.done(&signed(&["plan", "cancel", &plan], "not wanted"));
    server.until("the build to end", || (sleepers() == 0).then_some(()));
    let step = server.step("slow").unwrap();
    assert_eq!(
        (&step["state"], &step["reason"]["why"]),
        (&"cancelled".into(), &"source-changed".into())
    );
    server.until("the cancelled build", || {
        (server.builds("slow")[0]["state"] == "cancelled").then_some(())
    });
    let said = server.cli(&signed(&["plan", "cancel", &plan], "once more"));
    assert_eq!(said.code, 2, "{said:?}");
}

/// How many processes of the build there are.
fn sleepers() -> usize {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    // A process may end while it is looked at.
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.trim_end() == SLEEP).count()
}
