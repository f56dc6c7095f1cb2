//! Many at once: nothing is done twice, nothing is lost.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use model::clock::Timestamp;
use model::message::Message;
use model::step::StepState;
use store::builds::{NewBuild, Reservation};
use store::inbox::Receipt;
use store::leases::Lease;
use store::refs::Move;
use store::testing::TestDatabase;
use store::{
    Error, Result, Store, artifacts, builds, edges, inbox, leases, plans, refs, steps, test_runs,
};

use crate::fixture::{artifact, at, both, commit, edge, fence, id, new_build, plan, queued};

/// Runs `count` tasks at once and gathers what they come to.
async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(task(number))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Gives an artifact its id, whose giving would make the tasks wait for each other.
async fn know(store: &Store, name: &str) {
    let mut tx = store.begin().await.unwrap();
    artifacts::ensure(&mut tx, &artifact(name)).await.unwrap();
    tx.commit().await.unwrap();
}

/// How many succeeded; the others must have come too late.
fn winners<T>(results: &[Result<T>]) -> usize {
    let late = |result: &&Result<T>| matches!(result, Err(Error::Conflict(_)));
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(results.iter().filter(late).count() + won, results.len());
    won
}

/// Starts whatever is queued until nothing is, and tells what it started.
async fn claim_all(store: Store, owner: String) -> Vec<u128> {
    let mut claimed = Vec::new();
    loop {
        let waiting = builds::queued(&mut store.read().await.unwrap(), 5).await.unwrap();
        if waiting.is_empty() {
            return claimed;
        }
        for build in waiting {
            let mut tx = store.begin().await.unwrap();
            match builds::start(&mut tx, &fence(&build, &owner), at(1)).await {
                Ok(build) => {
                    tx.commit().await.unwrap();
                    claimed.push(build.id.0.as_u128());
                }
                Err(Error::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_build_is_claimed_twice() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for number in 0..60 {
            queued(&mut tx, number, "zlib", &number.to_string()).await;
        }
        tx.commit().await.unwrap();
        let claimed =
            at_once(8, |number| claim_all(store.clone(), format!("worker {number}"))).await;
        let mut all: Vec<u128> = claimed.into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, (0..60).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_test_run_is_claimed_twice() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        tx.commit().await.unwrap();
        let run = |number: usize| model::test::TestRun {
            id: id(number as u128),
            artifact: artifact("zlib"),
            build: id(1),
            installed: crate::fixture::digest("one set"),
            snapshot: crate::fixture::digest("snapshot"),
            with: Vec::new(),
            attempt: 1,
            state: model::test::TestRunState::Queued,
            created: at(1),
            version: 1,
        };
        let asked = at_once(12, |number| {
            let (store, run) = (store.clone(), run(number));
            async move {
                let mut tx = store.begin().await.unwrap();
                let (run, new) = test_runs::insert_or_find(&mut tx, &run).await.unwrap();
                tx.commit().await.unwrap();
                (run.id, new)
            }
        })
        .await;
        assert_eq!(asked.iter().filter(|(_, new)| *new).count(), 1);
        assert!(asked.iter().all(|(run, _)| *run == asked[0].0));
        let started = at_once(12, |number| {
            let (store, run) = (store.clone(), asked[0].0);
            async move {
                let mut tx = store.begin().await?;
                let owner = number.to_string();
                test_runs::start(&mut tx, run, &owner, 1, at(2)).await?;
                tx.commit().await
            }
        })
        .await;
        assert_eq!(winners(&started), 1);
    })
    .await;
}

async fn reserve(store: Store, new: NewBuild) -> Reservation {
    let mut tx = store.begin().await.unwrap();
    let reservation = builds::reserve(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    reservation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_build_gets_an_nvr_of_its_own() {
    both(|store| async move {
        know(&store, "zlib").await;
        let reservations = at_once(24, |number| {
            reserve(store.clone(), new_build(number as u128, "zlib", &number.to_string()))
        })
        .await;
        let dists: BTreeSet<String> = reservations
            .into_iter()
            .map(|reservation| match reservation {
                Reservation::New(build) => build.dist,
                other => panic!("{other:?} is not new"),
            })
            .collect();
        let expected = (1..24).map(|bump| format!(".f44.{bump}")).chain([".f44".to_owned()]);
        assert_eq!(dists, expected.collect());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_build_asked_for_by_many_is_one() {
    both(|store| async move {
        know(&store, "zlib").await;
        let reservations = at_once(16, |number| {
            reserve(store.clone(), new_build(number as u128, "zlib", "the same"))
        })
        .await;
        let mut new = 0;
        let mut numbers = BTreeSet::new();
        for reservation in reservations {
            match reservation {
                Reservation::New(build) => {
                    new += 1;
                    numbers.insert((build.number, build.id));
                }
                Reservation::Known(build) => {
                    numbers.insert((build.number, build.id));
                }
                Reservation::Taken { nvr } => panic!("{nvr} is taken"),
            }
        }
        assert_eq!((new, numbers.len()), (1, 1));
    })
    .await;
}

async fn take_lease(store: Store, holder: String, now: Timestamp) -> Option<Lease> {
    let mut tx = store.begin().await.unwrap();
    let ttl = Duration::from_secs(10);
    let lease = leases::acquire(&mut tx, "plan", &holder, now, ttl).await.unwrap();
    tx.commit().await.unwrap();
    lease
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_is_taken_by_one() {
    both(|store| async move {
        // Round after round: a lease nobody ever had, then one that has expired.
        for round in 0..3 {
            let take =
                |number| take_lease(store.clone(), format!("process {number}"), at(round * 10));
            let taken = at_once(12, take).await;
            let epochs: Vec<i64> = taken.into_iter().flatten().map(|lease| lease.epoch).collect();
            assert_eq!(epochs, [round + 1]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_guarded_transaction_ends_before_the_lease_changes_hands() {
    both(|store| async move {
        let ttl = Duration::from_secs(10);
        let mut tx = store.begin().await.unwrap();
        let old = leases::acquire(&mut tx, "plan", "a", at(0), ttl).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        leases::guard(&mut tx, &old, at(9)).await.unwrap();
        let successor = tokio::spawn({
            let store = store.clone();
            async move {
                let mut tx = store.begin().await.unwrap();
                let lease = leases::acquire(&mut tx, "plan", "b", at(10), ttl).await.unwrap();
                let seen = edges::graph_version(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
                (lease.map(|lease| lease.epoch), seen)
            }
        });
        edges::replace_for(&mut tx, &artifact("app"), &[edge("app", "zlib")], false).await.unwrap();
        tx.commit().await.unwrap();
        // Whoever holds the lease next sees all that was done under it before.
        assert_eq!(successor.await.unwrap(), (Some(2), 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_step_is_changed_by_one() {
    both(|store| async move {
        let (plan, list) = plan(1, &["zlib"]);
        let mut tx = store.begin().await.unwrap();
        plans::insert(&mut tx, &plan, &list).await.unwrap();
        tx.commit().await.unwrap();
        let changed = at_once(12, |_| {
            let (store, mut step) = (store.clone(), list[0].clone());
            async move {
                step.state = StepState::Unneeded;
                let mut tx = store.begin().await?;
                steps::update(&mut tx, &step).await?;
                tx.commit().await
            }
        })
        .await;
        assert_eq!(winners(&changed), 1);
        let head = plans::head(&mut store.read().await.unwrap(), id(1)).await.unwrap().unwrap();
        assert_eq!(head.unsettled, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_plan_closes_with_the_last_of_many_steps() {
    both(|store| async move {
        let names: Vec<String> = (0..16).map(|number| format!("package{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (plan, list) = plan(1, &names);
        let mut tx = store.begin().await.unwrap();
        plans::insert(&mut tx, &plan, &list).await.unwrap();
        tx.commit().await.unwrap();
        at_once(16, |number| {
            let (store, mut step) = (store.clone(), list[number].clone());
            async move {
                step.state = StepState::Unneeded;
                let mut tx = store.begin().await.unwrap();
                steps::update(&mut tx, &step).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
        .await;
        let mut conn = store.read().await.unwrap();
        assert_eq!(plans::open(&mut conn, &plan.branch).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_comes_many_times_is_inserted_once() {
    both(|store| async move {
        let receipts = at_once(16, |_| {
            let store = store.clone();
            async move {
                let (topic, body) = ("t".to_owned(), "{}".to_owned());
                let message = Message { id: "the same".to_owned(), topic, body };
                let mut tx = store.begin().await.unwrap();
                let receipt = inbox::receive(&mut tx, &message, at(1)).await.unwrap();
                tx.commit().await.unwrap();
                receipt
            }
        })
        .await;
        let new = receipts.iter().filter(|receipt| **receipt == Receipt::Inserted).count();
        assert_eq!(new, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ref_moves_once_from_one_place() {
    both(|store| async move {
        know(&store, "zlib").await;
        let moved = at_once(12, |number| {
            let store = store.clone();
            async move {
                let moved = Move {
                    artifact: artifact("zlib"),
                    commit: Some(commit(number as u32)),
                    previous: None,
                    forced: false,
                    at: at(1),
                    event: None,
                };
                let mut tx = store.begin().await?;
                refs::move_tip(&mut tx, &moved).await?;
                tx.commit().await
            }
        })
        .await;
        assert_eq!(winners(&moved), 1);
        let mut conn = store.read().await.unwrap();
        assert_eq!(refs::moves(&mut conn, &artifact("zlib")).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn artifacts_named_by_many_at_once_get_one_id_each() {
    both(|store| async move {
        let answers = at_once(12, |number| {
            let store = store.clone();
            async move {
                // Each in another order.
                let mut names: Vec<_> = (0..20).map(|n| artifact(&format!("p{n}"))).collect();
                names.rotate_left(number);
                let mut tx = store.begin().await.unwrap();
                let ids = artifacts::ensure_all(&mut tx, &names).await.unwrap();
                tx.commit().await.unwrap();
                ids
            }
        })
        .await;
        assert_eq!(answers[0].len(), 20);
        assert!(answers.iter().all(|ids| *ids == answers[0]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_empty_database_is_opened_by_many_at_once() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let opened = at_once(6, |_| {
            let url = database.url.clone();
            async move { Store::open(&url).await.map(drop) }
        })
        .await;
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    }
}
