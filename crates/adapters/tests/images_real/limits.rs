//! Images whose instructions do not end by themselves, or take more than their share.

use std::time::Duration;

use adapters::image::{self, Outcome};
use adapters::sandbox::Limits;

use crate::fixtures::{limits, none_is_left, processes_with, read};
use crate::images::Gallery;

/// Runs a script under limits, and makes sure that none of its processes outlives it.
async fn check(slot: u32, script: &str, limits: Limits) -> Outcome {
    let gallery = Gallery::empty(slot).await;
    let mark = format!("mark-{slot}-{}", std::process::id());
    let mut request = gallery.probe(&format!("setsid sh -c ': {mark}; sleep 600' &\n{script}"));
    request.limits = limits;
    let outcome = gallery.build(request).await;
    none_is_left(&mark).await;
    outcome
}

#[tokio::test]
async fn one_that_hangs_is_ended() {
    let limits = Limits { wall: Duration::from_secs(3), ..limits() };
    assert_eq!(check(131, "sleep 600", limits).await, Outcome::TimedOut);
}

#[tokio::test]
async fn a_fork_bomb_is_ended() {
    let bomb = "bomb() { bomb | bomb & }; bomb; sleep 600";
    assert_eq!(check(132, bomb, limits()).await, Outcome::TooManyProcesses);
}

#[tokio::test]
async fn a_memory_hog_and_a_full_disk_are_told_apart() {
    let limits = Limits { memory_bytes: 600 << 20, ..limits() };
    let hog = "cat /dev/zero | tail -c 100G";
    assert_eq!(check(133, hog, limits.clone()).await, Outcome::OutOfMemory);
    assert_eq!(check(134, "head -c 300M /dev/zero >big", limits).await, Outcome::DiskFull);
}

#[tokio::test]
async fn cancelling_ends_all_processes() {
    let gallery = Gallery::empty(135).await;
    let mark = format!("mark-135-{}", std::process::id());
    let request = gallery.probe(&format!("sh -c ': {mark}; sleep 600'"));
    let (output, work) = (request.output.clone(), request.work.clone());
    let job = image::start(request, gallery.bench.toolchain.clone()).unwrap();
    let cancel = job.canceller();
    let waiter = tokio::spawn(job.wait());
    until(|| !processes_with(&mark).is_empty()).await;
    cancel.cancel();
    assert_eq!(waiter.await.unwrap().unwrap().unwrap(), Outcome::Cancelled);
    none_is_left(&mark).await;
    assert!(!output.exists());
    assert!(!work.join("cell").exists(), "the work folder is cleared: {}", read(&work));
}

/// Waits for something that another process does; the test runner's own limit ends a wait in vain.
pub(crate) async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
