//! Builds that do not end by themselves, or take more than their share.

use std::time::Duration;

use adapters::rpmbuild::{self, Outcome};
use adapters::sandbox::Limits;

use crate::fixtures::{Bench, limits, none_is_left, probe, processes_with};

/// Runs a script under limits, and makes sure that none of its processes outlives it.
async fn check(slot: u32, script: &str, limits: Limits) -> Outcome {
    let bench = Bench::new(slot).await;
    let mark = format!("mark-{slot}-{}", std::process::id());
    let script = format!("setsid sh -c ': {mark}; sleep 600' &\n{script}");
    let (outcome, _) = bench.probe(&script, limits).await;
    none_is_left(&mark).await;
    outcome
}

#[tokio::test]
async fn a_build_that_hangs_is_ended() {
    let limits = Limits { wall: Duration::from_secs(2), ..limits() };
    assert_eq!(check(21, "sleep 600", limits).await, Outcome::TimedOut);
}

#[tokio::test]
async fn a_fork_bomb_is_ended() {
    let bomb = "bomb() { bomb | bomb & }; bomb; sleep 600";
    assert_eq!(check(22, bomb, limits()).await, Outcome::TooManyProcesses);
}

#[tokio::test]
async fn a_memory_hog_is_ended() {
    let limits = Limits { memory_bytes: 200 << 20, ..limits() };
    let hog = "python3 -c 'a = []\nwhile True: a.append(bytearray(1 << 20))'";
    assert_eq!(check(23, hog, limits.clone()).await, Outcome::OutOfMemory);
    // Many that are small, so that no limit of a single process helps.
    let herd = "for i in 1 2 3 4 5 6; do python3 -c 'import time; a = bytearray(50 << 20); time.sleep(600)' & done; wait";
    assert_eq!(check(24, herd, limits).await, Outcome::OutOfMemory);
}

#[tokio::test]
async fn a_full_disk_and_an_endless_log_are_told_apart_from_a_broken_build() {
    let limits = Limits { disk_bytes: 64 << 20, ..limits() };
    let fill = "head -c 200M /dev/zero > big";
    assert_eq!(check(25, fill, limits.clone()).await, Outcome::DiskFull);
    assert_eq!(check(26, "yes", limits.clone()).await, Outcome::DiskFull);
    // The shell's trace of the command is no error, whatever comes between its words.
    let broken = "printf '%s:%s\\n' x.c:1 ' error: no' >&2; exit 3";
    let Outcome::Failed { line, .. } = check(27, broken, limits).await else {
        panic!("it should have failed");
    };
    assert_eq!(line.unwrap().text, "x.c:1: error: no");
}

#[tokio::test]
async fn cancelling_ends_all_processes() {
    let bench = Bench::new(28).await;
    let mark = format!("mark-28-{}", std::process::id());
    let request = bench.request("probe", &probe(&format!("sh -c ': {mark}; sleep 600'")), &[]);
    let job = rpmbuild::start(request, bench.toolchain.clone()).unwrap();
    let cancel = job.canceller();
    let waiter = tokio::spawn(job.wait());
    until(|| !processes_with(&mark).is_empty()).await;
    cancel.cancel();
    assert_eq!(waiter.await.unwrap().unwrap().unwrap(), Outcome::Cancelled);
    none_is_left(&mark).await;
    assert!(!bench.path("probe-out").exists());
    assert!(!bench.path("probe-work/cell").exists(), "the work folder is cleared");
}

/// Waits for something that another process does; the test runner's own limit ends a wait in vain.
pub(crate) async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}
