//! Test runs, results, waivers, holds, publications, leases, tokens, health.

use std::time::Duration;

use model::gate::{Waiver, WaiverKind};
use model::hold::{Hold, HoldKind};
use model::publication::{Generation, PublishedBuild};
use model::test::{Outcome, TestResult, TestRun, TestRunState};
use store::tokens::Token;
use store::{
    Error, Page, Store, builds, events, health, holds, inbox, leases, outbox, plans, publications,
    results, test_runs, tokens, waivers,
};

use crate::fixture::{artifact, at, both, branch, committed, digest, fence, id, plan, queued};

fn run(number: u128, build: u128, installed: &str) -> TestRun {
    TestRun {
        id: id(number),
        artifact: artifact("zlib"),
        build: id(build),
        installed: digest(installed),
        snapshot: digest("snapshot"),
        with: vec![id(8), id(9)],
        attempt: 1,
        state: TestRunState::Queued,
        created: at(1),
        version: 1,
    }
}

fn result(number: u128, run: Option<u128>, case: &str, outcome: Outcome) -> TestResult {
    TestResult {
        id: id(number),
        run: run.map(id),
        artifact: artifact("zlib"),
        build: id(1),
        case: case.to_owned(),
        outcome,
        note: "first line".to_owned(),
        at: at(1),
    }
}

#[tokio::test]
async fn the_same_set_is_not_tested_twice() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        let first = run(1, 1, "set");
        assert_eq!(
            test_runs::insert_or_find(&mut tx, &first).await.unwrap(),
            (first.clone(), true)
        );
        let again = test_runs::insert_or_find(&mut tx, &run(2, 1, "set")).await.unwrap();
        assert_eq!(again, (first.clone(), false));
        let other = run(3, 1, "other set");
        test_runs::insert_or_find(&mut tx, &other).await.unwrap();
        assert_eq!(test_runs::queued(&mut tx, 10).await.unwrap(), [first.clone(), other.clone()]);
        assert_eq!(test_runs::queued(&mut tx, 1).await.unwrap()[..], *std::slice::from_ref(&first));

        let running = test_runs::start(&mut tx, id(1), "me", 1, at(2)).await.unwrap();
        assert_eq!(test_runs::running(&mut tx).await.unwrap()[..], *std::slice::from_ref(&running));
        for (number, attempt) in [(1, 1), (3, 2), (99, 1)] {
            let refused = test_runs::start(&mut tx, id(number), "you", attempt, at(3)).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        let finished = TestRun { state: TestRunState::Finished { at: at(4) }, ..running.clone() };
        let version = test_runs::update(&mut tx, &finished, at(4)).await.unwrap();
        assert_eq!(version, 3);
        let stale = test_runs::update(&mut tx, &running, at(4)).await;
        assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
        let stored = test_runs::get(&mut tx, id(1)).await.unwrap().unwrap();
        assert_eq!(stored, TestRun { version: 3, ..finished });
        assert_eq!(test_runs::of_build(&mut tx, id(1)).await.unwrap(), [stored.clone(), other]);
        let found = test_runs::find(&mut tx, id(1), digest("set")).await.unwrap();
        assert_eq!(found, Some(stored));
        assert_eq!(test_runs::find(&mut tx, id(1), digest("third")).await.unwrap(), None);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_latest_result_of_a_case_counts() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        test_runs::insert_or_find(&mut tx, &run(1, 1, "set")).await.unwrap();
        let list = [
            result(30, Some(1), "tests.hello", Outcome::Failed),
            result(20, Some(1), "millstream.installs", Outcome::Passed),
            result(10, None, "tests.hello", Outcome::NeedsInspection),
        ];
        results::insert_many(&mut tx, &list).await.unwrap();
        results::insert_many(&mut tx, &[]).await.unwrap();
        assert_eq!(results::for_run(&mut tx, id(1)).await.unwrap(), list[..2]);
        assert_eq!(results::for_builds(&mut tx, &[id(1), id(2)]).await.unwrap(), list);
        let latest = results::latest(&mut tx, &[id(1)]).await.unwrap();
        let outcome = |case: &str| latest[&(id(1), case.to_owned())].outcome;
        assert_eq!(latest.len(), 2);
        assert_eq!(outcome("tests.hello"), Outcome::NeedsInspection);
        assert_eq!(outcome("millstream.installs"), Outcome::Passed);
        tx.commit().await.unwrap();
        // A result of no build is refused.
        let mut tx = store.begin().await.unwrap();
        let orphan = TestResult { build: id(99), ..result(40, None, "x", Outcome::Passed) };
        let refused = match results::insert_many(&mut tx, &[orphan]).await {
            Ok(()) => tx.commit().await,
            refused => refused,
        };
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn waivers_are_found_by_artifact() {
    both(|store| async move {
        let waiver = |number: u128, name: &str| Waiver {
            id: id(number),
            artifact: artifact(name),
            case: "tests.hello".to_owned(),
            nvr: (number == 1).then(|| "zlib-1.3-1.f44".to_owned()),
            kind: if number == 1 { WaiverKind::Waiver } else { WaiverKind::SignOff },
            author: "alice".to_owned(),
            reason: "it's \"known\"".to_owned(),
            at: at(1),
            end: (number == 2).then(|| at(9)),
        };
        let mut tx = store.begin().await.unwrap();
        let first = waivers::insert(&mut tx, &waiver(1, "zlib")).await.unwrap();
        let second = waivers::insert(&mut tx, &waiver(2, "png")).await.unwrap();
        let found = waivers::for_artifacts(&mut tx, &[artifact("zlib"), artifact("x")]).await;
        assert_eq!(found.unwrap(), [waiver(1, "zlib")]);
        let all = waivers::list(&mut tx, None, None, Page::default()).await.unwrap();
        assert_eq!(all.iter().map(|w| w.number).collect::<Vec<_>>(), [second, first]);
        let png = artifact("png");
        let one = waivers::list(&mut tx, Some(&png), None, Page::default()).await.unwrap();
        assert_eq!(one[0].waiver, waiver(2, "png"));
        let unknown = artifact("x");
        assert_eq!(
            waivers::list(&mut tx, Some(&unknown), None, Page::default()).await.unwrap(),
            []
        );
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn holds_end_or_are_released() {
    both(|store| async move {
        let hold = |number: u128, name: &str| Hold {
            id: id(number),
            kind: if number == 1 { HoldKind::Freeze } else { HoldKind::Hold },
            artifact: artifact(name),
            author: "alice".to_owned(),
            reason: "release".to_owned(),
            at: at(1),
            end: (number == 2).then(|| at(9)),
            released: None,
        };
        let mut tx = store.begin().await.unwrap();
        holds::insert(&mut tx, &hold(1, "zlib")).await.unwrap();
        holds::insert(&mut tx, &hold(2, "png")).await.unwrap();
        let in_force = holds::in_force(&mut tx, at(2)).await.unwrap();
        assert_eq!(in_force, [hold(1, "zlib"), hold(2, "png")]);
        assert_eq!(holds::in_force(&mut tx, at(9)).await.unwrap(), [hold(1, "zlib")]);
        assert_eq!(holds::in_force(&mut tx, at(0)).await.unwrap(), []);
        holds::release(&mut tx, id(1), at(3)).await.unwrap();
        for released in [1, 99] {
            let again = holds::release(&mut tx, id(released), at(3)).await;
            assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        }
        assert_eq!(holds::in_force(&mut tx, at(4)).await.unwrap(), [hold(2, "png")]);
        let all = holds::list(&mut tx, None, None, Page::default()).await.unwrap();
        assert_eq!(all[1].hold, Hold { released: Some(at(3)), ..hold(1, "zlib") });
        assert!(all[1].number < all[0].number);
        let (png, unknown) = (artifact("png"), artifact("x"));
        let one = holds::list(&mut tx, Some(&png), None, Page::default()).await.unwrap();
        assert_eq!(one, all[..1]);
        assert_eq!(holds::list(&mut tx, Some(&unknown), None, Page::default()).await.unwrap(), []);
        tx.commit().await.unwrap();
    })
    .await;
}

fn generation(number: i64, builds: &[(&str, u128)]) -> Generation {
    let build = |(name, build): &(&str, u128)| PublishedBuild {
        artifact: artifact(name),
        build: id(*build),
    };
    Generation {
        branch: branch(),
        number,
        plan: id(1),
        builds: builds.iter().map(build).collect(),
        at: at(number),
        switched: None,
    }
}

async fn published(store: &Store) -> String {
    let mut conn = store.read().await.unwrap();
    let builds = publications::current_builds(&mut conn, &branch()).await.unwrap();
    let short = |p: &PublishedBuild| format!("{}={}", p.artifact.name, p.build.0.as_u128());
    builds.iter().map(short).collect::<Vec<_>>().join(" ")
}

async fn switch(store: &Store, number: i64) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    publications::mark_switched(&mut tx, &branch(), number, at(50)).await?;
    tx.commit().await
}

#[tokio::test]
async fn a_generation_is_published_whole() {
    both(|store| async move {
        let first = generation(1, &[("png", 2), ("zlib", 1)]);
        let second = generation(2, &[("gtk", 3), ("zlib", 4)]);
        let mut tx = store.begin().await.unwrap();
        for (number, name) in [(1, "zlib"), (2, "png"), (3, "gtk"), (4, "zlib")] {
            queued(&mut tx, number, name, &number.to_string()).await;
        }
        publications::begin_generation(&mut tx, &first).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(published(&store).await, "");
        let mut tx = store.begin().await.unwrap();
        let twice = publications::begin_generation(&mut tx, &first).await;
        assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(publications::current(&mut tx, &branch()).await.unwrap(), None);
        let pending = publications::pending(&mut tx, &branch()).await.unwrap();
        assert_eq!(pending[..], *std::slice::from_ref(&first));
        let switched = Generation { switched: Some(at(1)), ..generation(9, &[]) };
        let refused = publications::begin_generation(&mut tx, &switched).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        drop(tx);

        switch(&store, 1).await.unwrap();
        assert_eq!(published(&store).await, "png=2 zlib=1");
        for wrong in [1, 2] {
            let again = switch(&store, wrong).await;
            assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        }
        let mut tx = store.begin().await.unwrap();
        publications::begin_generation(&mut tx, &second).await.unwrap();
        // Begun and given up: generation 3 is switched to before it.
        publications::begin_generation(&mut tx, &generation(3, &[("zlib", 4)])).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(published(&store).await, "png=2 zlib=1");
        switch(&store, 2).await.unwrap();
        assert_eq!(published(&store).await, "gtk=3 zlib=4");

        let mut conn = store.read().await.unwrap();
        let conn = &mut *conn;
        let now = publications::current(conn, &branch()).await.unwrap().unwrap();
        assert_eq!(now, Generation { switched: Some(at(50)), ..second });
        let zlib = publications::current_build(conn, &artifact("zlib")).await.unwrap();
        assert_eq!(zlib, Some(id(4)));
        assert_eq!(publications::current_build(conn, &artifact("png")).await.unwrap(), None);
        let list = publications::list(conn, &branch(), Page::default()).await.unwrap();
        assert_eq!(list.iter().map(|g| g.number).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(publications::list(conn, &branch(), Page::before(2, 5)).await.unwrap().len(), 1);
        let pending = publications::pending(conn, &branch()).await.unwrap();
        assert_eq!(pending.iter().map(|g| g.number).collect::<Vec<_>>(), [3]);
        assert_eq!(publications::branches(conn).await.unwrap(), [branch()]);
    })
    .await;
}

#[tokio::test]
async fn an_older_generation_does_not_come_back() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        publications::begin_generation(&mut tx, &generation(1, &[])).await.unwrap();
        publications::begin_generation(&mut tx, &generation(2, &[("zlib", 1)])).await.unwrap();
        tx.commit().await.unwrap();
        switch(&store, 2).await.unwrap();
        let late = switch(&store, 1).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        assert_eq!(published(&store).await, "zlib=1");
        let mut conn = store.read().await.unwrap();
        assert_eq!(publications::pending(&mut conn, &branch()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_lease_has_one_holder_and_fences_the_one_before() {
    both(|store| async move {
        let ttl = Duration::from_secs(10);
        let mut tx = store.begin().await.unwrap();
        let first = leases::acquire(&mut tx, "plan", "a", at(0), ttl).await.unwrap().unwrap();
        assert_eq!(first.epoch, 1);
        assert_eq!(leases::acquire(&mut tx, "plan", "b", at(5), ttl).await.unwrap(), None);
        assert!(leases::acquire(&mut tx, "other", "b", at(5), ttl).await.unwrap().is_some());
        leases::guard(&mut tx, &first, at(5)).await.unwrap();
        assert!(leases::renew(&mut tx, &first, at(8), ttl).await.unwrap());
        assert_eq!(leases::acquire(&mut tx, "plan", "b", at(12), ttl).await.unwrap(), None);
        tx.commit().await.unwrap();

        // It expires, and somebody else takes it.
        let mut tx = store.begin().await.unwrap();
        let expired = leases::guard(&mut tx, &first, at(18)).await;
        assert!(matches!(expired, Err(Error::Conflict(_))), "{expired:?}");
        let second = leases::acquire(&mut tx, "plan", "b", at(18), ttl).await.unwrap().unwrap();
        assert_eq!(second.epoch, 2);
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let fenced = leases::guard(&mut tx, &first, at(19)).await;
        assert!(matches!(fenced, Err(Error::Conflict(_))), "{fenced:?}");
        assert!(!leases::renew(&mut tx, &first, at(19), ttl).await.unwrap());
        // The old holder cannot give back what it does not have.
        leases::release(&mut tx, &first).await.unwrap();
        leases::guard(&mut tx, &second, at(19)).await.unwrap();
        leases::release(&mut tx, &second).await.unwrap();
        let third = leases::acquire(&mut tx, "plan", "a", at(19), ttl).await.unwrap().unwrap();
        assert_eq!(third.epoch, 3);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_a_lost_process_held_is_given_back() {
    both(|store| async move {
        let ttl = Duration::from_secs(10);
        let mut tx = store.begin().await.unwrap();
        let lost = leases::acquire(&mut tx, "plan", "a", at(0), ttl).await.unwrap().unwrap();
        leases::acquire(&mut tx, "build", "a", at(0), ttl).await.unwrap().unwrap();
        let kept = leases::acquire(&mut tx, "test", "b", at(0), ttl).await.unwrap().unwrap();
        leases::release_all(&mut tx, "a").await.unwrap();
        for name in ["plan", "build"] {
            let lease = leases::acquire(&mut tx, name, "c", at(1), ttl).await.unwrap().unwrap();
            assert_eq!(lease.epoch, 2);
        }
        let fenced = leases::guard(&mut tx, &lost, at(1)).await;
        assert!(matches!(fenced, Err(Error::Conflict(_))), "{fenced:?}");
        leases::guard(&mut tx, &kept, at(1)).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn tokens_are_found_by_their_secret() {
    both(|store| async move {
        let token = |name: &str, expires| Token {
            name: name.to_owned(),
            secret: digest(name),
            scopes: vec!["messages".to_owned(), "waive".to_owned()],
            created: at(1),
            expires,
            revoked: None,
        };
        let mut tx = store.begin().await.unwrap();
        tokens::put(&mut tx, &token("b", None)).await.unwrap();
        tokens::put(&mut tx, &token("a", Some(at(9)))).await.unwrap();
        let found = tokens::find(&mut tx, digest("a")).await.unwrap().unwrap();
        assert_eq!(found, token("a", Some(at(9))));
        assert!(found.is_valid(at(8)) && !found.is_valid(at(9)));
        assert_eq!(tokens::find(&mut tx, digest("c")).await.unwrap(), None);
        tokens::revoke(&mut tx, "b", at(2)).await.unwrap();
        let again = tokens::revoke(&mut tx, "b", at(3)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let all = tokens::list(&mut tx).await.unwrap();
        assert_eq!(all.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(all[1].revoked, Some(at(2)));
        assert!(!all[1].is_valid(at(2)));
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let taken = tokens::put(&mut tx, &token("a", None)).await;
        assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    })
    .await;
}

#[tokio::test]
async fn health_counts_what_is_there() {
    both(|store| async move {
        let mut conn = store.read().await.unwrap();
        assert_eq!(health::read(&mut conn).await.unwrap(), health::Health::default());
        assert_eq!(health::last_progress(&mut conn).await.unwrap(), None);
        drop(conn);

        let mut tx = store.begin().await.unwrap();
        let message = model::message::Message {
            id: "1".to_owned(),
            topic: "t".to_owned(),
            body: String::new(),
        };
        inbox::receive(&mut tx, &message, at(70)).await.unwrap();
        events::insert(&mut tx, id(1), &committed("zlib", 1), at(1)).await.unwrap();
        let (plan, steps) = plan(1, &["zlib", "png"]);
        plans::insert(&mut tx, &plan, &steps).await.unwrap();
        let build = queued(&mut tx, 1, "zlib", "a").await;
        queued(&mut tx, 2, "zlib", "b").await;
        builds::start(&mut tx, &fence(&build, "me"), at(60)).await.unwrap();
        test_runs::insert_or_find(&mut tx, &run(1, 1, "set")).await.unwrap();
        let out = outbox::Outgoing {
            id: id(1),
            topic: "t".to_owned(),
            body: serde_json::Value::Null,
            at: at(1),
        };
        outbox::push(&mut tx, &out).await.unwrap();
        tx.commit().await.unwrap();

        let health = health::read(&mut store.read().await.unwrap()).await.unwrap();
        let counts = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect()
        };
        let expected = health::Health {
            last_message: Some(at(70)),
            last_progress: Some(at(60)),
            messages: counts(&[("received", 1)]),
            events: counts(&[("new", 1)]),
            builds: counts(&[("queued", 1), ("running", 1)]),
            test_runs: counts(&[("queued", 1)]),
            open_steps: counts(&[("waiting", 2)]),
            open_plans: 1,
            unsent: 1,
        };
        assert_eq!(health, expected);
    })
    .await;
}
