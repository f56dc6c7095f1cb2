//! Test cases in an isolated root with packages of ours installed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use adapters::sandbox::Limits;
use adapters::testing::{self, CaseOutcome, CaseResult, TestRequest};

use crate::fixtures::{BASE, Bench, USER, USER_C, limits, read};

fn request(bench: &Bench, packages: &[PathBuf], cases: &[(&str, &str)]) -> TestRequest {
    let tests = bench.path("tests");
    fs::create_dir_all(&tests).unwrap();
    for (name, script) in cases {
        fs::write(tests.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(tests.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(tests.join("data"), "expected\n").unwrap();
    TestRequest {
        work: bench.path("test-work"),
        packages: packages.to_vec(),
        subjects: vec!["user".to_owned()],
        tests: Some(tests),
        limits: limits(),
        logs: bench.path("logs"),
        slot: bench.slot(),
    }
}

/// The outcomes by case, one line each.
async fn run(bench: &Bench, request: TestRequest) -> (String, Vec<CaseResult>) {
    let job = testing::start(request, bench.toolchain.clone()).unwrap();
    let results = job.wait().await.unwrap().unwrap();
    let shown = results.iter().map(|result| {
        let outcome = match &result.outcome {
            CaseOutcome::Passed => "passed".to_owned(),
            CaseOutcome::Failed { line } => format!("failed: {line}"),
            CaseOutcome::Errored { reason } => format!("errored: {reason}"),
            CaseOutcome::TimedOut => "timed out".to_owned(),
        };
        format!("{} {outcome}", result.case)
    });
    (shown.collect::<Vec<_>>().join("\n"), results)
}

async fn packages(bench: &Bench) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let base = bench.built(bench.request("base", BASE, &[])).await.rpms;
    let mut request = bench.request("user", USER, &[("user.c", USER_C)]);
    request.dependencies.clone_from(&base);
    (base, bench.built(request).await.rpms)
}

#[tokio::test]
async fn each_case_has_a_result_of_its_own() {
    let bench = Bench::new(41).await;
    let (base, user) = packages(&bench).await;
    let cases = [
        ("a-works", "user && grep expected data && echo changed > data"),
        ("b-fresh-copy", "grep expected data"),
        ("c-fails", "echo 'FAIL: sum'; exit 3"),
        ("d-hangs", "sleep 600"),
        ("e-eats", "exec python3 -c 'a = []\nwhile True: a.append(bytearray(1 << 20))'"),
        ("f-after", "user"),
    ];
    let mut request = request(&bench, &[base, user].concat(), &cases);
    request.limits = Limits { wall: Duration::from_secs(3), memory_bytes: 300 << 20, ..limits() };
    let (shown, results) = run(&bench, request).await;
    let memory = shown.lines().find(|line| line.starts_with("tests.e-eats")).unwrap();
    assert!(memory.starts_with("tests.e-eats failed: it used "), "{shown}");
    assert_eq!(
        shown.replace(memory, "tests.e-eats failed"),
        "millstream.installs passed\nmillstream.conflicts passed\nmillstream.libraries passed\n\
         tests.a-works passed\ntests.b-fresh-copy passed\ntests.c-fails failed: FAIL: sum\n\
         tests.d-hangs timed out\ntests.e-eats failed\ntests.f-after passed"
    );
    let log = |case: &str| read(&results.iter().find(|result| result.case == case).unwrap().log);
    assert_eq!(log("tests.a-works"), "expected\n");
    assert_eq!(log("tests.c-fails"), "FAIL: sum\n");
}

#[tokio::test]
async fn what_does_not_install_is_not_tested() {
    let bench = Bench::new(42).await;
    let (base, user) = packages(&bench).await;
    let (shown, _) = run(&bench, request(&bench, &user, &[("case", "true")])).await;
    assert_eq!(
        shown,
        "millstream.installs failed: libbase.so.1()(64bit) is needed by user-2.0-1.f44.x86_64\n\
         millstream.conflicts errored: the packages could not be installed\n\
         millstream.libraries errored: the packages could not be installed\n\
         tests.case errored: the packages could not be installed"
    );

    // Another package with the same program and other contents.
    let twin = USER.replace("Name: user", "Name: twin").replace("Version: 2.0", "Version: 3.0");
    let other = "#include <base/base.h>\n#include <stdio.h>\nint main(void) { puts(\"\"); return base() - 42; }\n";
    let mut build = bench.request("twin", &twin, &[("user.c", other)]);
    build.dependencies.clone_from(&base);
    let twin = bench.built(build).await.rpms;
    let (shown, _) = run(&bench, request(&bench, &[base, user, twin].concat(), &[])).await;
    assert!(shown.contains("millstream.conflicts failed: file /usr/bin/user "), "{shown}");
}

#[tokio::test]
async fn a_library_that_is_gone_is_found_though_rpm_was_content() {
    let bench = Bench::new(43).await;
    let (base, user) = packages(&bench).await;
    // A package that claims the library and does not have it.
    let liar = crate::fixtures::probe("true")
        .replace("BuildArch: noarch\n", "Provides: libbase.so.1()(64bit)\n")
        .replace("%install\n%files", "%install\n%files\n%ghost /none");
    assert!(!base.is_empty());
    let liar = bench.built(bench.request("probe", &liar, &[])).await.rpms;
    let (shown, _) = run(&bench, request(&bench, &[user, liar].concat(), &[])).await;
    assert!(shown.contains("millstream.installs passed"), "{shown}");
    let failed = "millstream.libraries failed: error: /usr/bin/user: libbase.so.1 => not found";
    assert!(shown.contains(failed), "{shown}");
}
