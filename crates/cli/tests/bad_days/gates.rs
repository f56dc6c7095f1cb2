//! Failing tests, waivers, retries, and tests that a commit takes away.

use std::process::Command;

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

const BOTH: &str = "--- !Policy
product_versions: [f44]
decision_context: millstream
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: tests.hello}
  - !PassingTestCaseRule {test_case_name: tests.other}
";
const HELLO_ONLY: &str = "--- !Policy
product_versions: [f44]
decision_context: millstream
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: tests.hello}
";
const PASSES: &str = "#!/bin/sh\nexit 0\n";
const FAILS: &str = "#!/bin/sh\necho error: nobody is greeted\nexit 1\n";

const WAIVE: [&str; 8] =
    ["gate", "waive", "rpms/lib#f44", "--case", "tests.hello", "--author", "ann", "--reason"];

#[test]
fn a_gate_holds_until_somebody_answers_for_it() {
    let server = Server::start("");
    let (lib, app) = (Package::new(&server, "lib"), Package::new(&server, "app"));
    let spec = Spec::of("lib").write();
    let tests = ("tests/other", PASSES);
    lib.push(&[("lib.spec", &spec), ("gating.yaml", BOTH), ("tests/hello", FAILS), tests]);
    app.push_spec(&Spec::of("app").preamble("BuildRequires: lib\n").write());
    a_waiver_goes_on_without_another_build(&server);
    an_ended_waiver_does_not_count(&server, &lib);
    a_retry_repeats_what_it_says(&server, &lib);
    a_removed_test_needs_a_sign_off(&server, &lib);
}

fn a_waiver_goes_on_without_another_build(server: &Server) {
    let step = server.until_step("lib", "held");
    let objection = &step["objections"][0];
    assert_eq!(
        (&objection["case"], &objection["objection"]),
        (&"tests.hello".into(), &"failed".into())
    );
    assert_eq!(objection["note"], "error: nobody is greeted");
    assert_eq!(step["objections"].as_array().unwrap().len(), 1);
    let app = server.step("app").unwrap();
    assert_eq!((&app["state"], &app["waits_for"][0]), (&"rebuild".into(), &"rpms/lib#f44".into()));
    let said = server.cli(&["gate", "decide", "rpms/lib#f44"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.out.contains("tests.hello of rpms/lib#f44 failed: error: nobody is greeted"),
        "{said:?}"
    );
    assert_eq!(server.published(), [""; 0]);

    let said = server.cli(&[&WAIVE[..], &["known", "--until", "2020-01-01"]].concat());
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("is past: the waiver would never be in force"), "{said:?}");
    let before = server.builds("lib");
    server.done(&[&WAIVE[..], &["known", "--nvr", "lib-1-1.f44"]].concat());
    server.until_step("lib", "published");
    server.until_step("app", "published");
    let after = server.builds("lib");
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(
        (&before[0]["number"], &before[0]["attempt"]),
        (&after[0]["number"], &after[0]["attempt"])
    );
}

fn an_ended_waiver_does_not_count(server: &Server, lib: &Package) {
    let end = Command::new("date").args(["-u", "-d", "+2 seconds", "+%FT%TZ"]).output().unwrap();
    let end = String::from_utf8(end.stdout).unwrap();
    server.done(&[&WAIVE[..], &["for a moment", "--until", end.trim()]].concat());
    server.until("the waiver to end", || {
        let waivers = server.json(&["gate", "waivers"]);
        (waivers[0]["in_force"] == false).then_some(())
    });
    lib.push_spec(&Spec::of("lib").text("second").write());
    server.until("another build", || (server.builds("lib").len() == 2).then_some(()));
    server.until_step("lib", "held");
}

fn a_retry_repeats_what_it_says(server: &Server, lib: &Package) {
    let said = server.cli(&["retry", "--failed-only", "--author", "ann"]);
    assert_eq!((said.code, said.out.as_str()), (1, "nothing can be tried again\n"));
    let results = || server.json(&["gate", "results", "rpms/lib#f44"])["results"].clone();
    let hellos = |results: &Value| {
        let results = results.as_array().unwrap();
        results.iter().filter(|result| result["case"] == "tests.hello").count()
    };
    let before = hellos(&results());
    let said = server.done(&["retry", "--author", "ann"]);
    assert_eq!(said, "rpms/lib#f44 is tested again\n");
    server.until("the tests to be over again", || (hellos(&results()) == before + 1).then_some(()));
    server.until_step("lib", "held");
    assert_eq!(server.builds("lib").len(), 2);
    lib.push(&[("tests/hello", PASSES)]);
    server.until_step("lib", "published");
}

fn a_removed_test_needs_a_sign_off(server: &Server, lib: &Package) {
    lib.push(&[("gating.yaml", HELLO_ONLY)]);
    // The gate refuses before anything is tested; in the end this is all it objects to.
    let objection = server.until("the only objection", || {
        let step = server.step("lib").filter(|step| step["state"] == "held")?;
        let objections = step["objections"].as_array()?;
        (objections.len() == 1).then(|| objections[0].clone())
    });
    assert_eq!(
        (&objection["case"], &objection["objection"]),
        (&"tests.other".into(), &"removed".into())
    );
    let said = server.cli(&["retry", "--author", "ann"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("that needs a sign-off: `millstream gate sign-off`"), "{said:?}");
    // A waiver is for a result; this is none.
    let waive = [
        "gate",
        "waive",
        "rpms/lib#f44",
        "--case",
        "tests.other",
        "--author",
        "ann",
        "--reason",
        "r",
    ];
    server.done(&waive);
    assert_eq!(server.cli(&["gate", "decide", "rpms/lib#f44"]).code, 1);
    // What waits need not be named.
    server.done(&["gate", "sign-off", "rpms/lib#f44", "--author", "ann", "--reason", "r"]);
    server.until_step("lib", "published");
}
