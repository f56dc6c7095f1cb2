//! The stream of changes, the audit log, sessions.

use model::decision::{Decision, DecisionKind};
use model::step::StepState;
use model::test::{TestRun, TestRunState};
use store::audit::{AuditEntry, NumberedEntry};
use store::changes::{ChangeFilter, Changed, Place};
use store::sessions::Session;
use store::testing::TestDatabase;
use store::{Page, Store, audit, builds, changes, decisions, plans, sessions, steps, test_runs};

use crate::fixture::{artifact, at, both, digest, fence, id, plan, queued, succeeded};

async fn all(store: &Store, filter: &ChangeFilter, after: Place) -> Vec<changes::Change> {
    let mut reader = store.snapshot().await.unwrap();
    let newest = changes::newest(&mut reader).await.unwrap();
    changes::after(&mut reader, filter, (after, newest), 100).await.unwrap()
}

fn told(changes: &[changes::Change]) -> Vec<String> {
    let artifact = |change: &changes::Change| {
        change.artifact.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let tell = |change: &changes::Change| {
        let what = match &change.changed {
            Changed::Decision { sentence, .. } => format!("decision {sentence}"),
            Changed::Plan => "plan".to_owned(),
            Changed::Step { index } => format!("step {index}"),
            Changed::Build { nvr, .. } => format!("build {nvr}"),
            Changed::TestRun { .. } => "test run".to_owned(),
        };
        let plan = change.plan.map_or("-".to_owned(), |plan| plan.to_string());
        format!("{what}, plan {plan}, {} {}", artifact(change), change.state)
    };
    changes.iter().map(tell).collect()
}

#[tokio::test]
async fn whatever_changes_can_be_followed() {
    both(|store| async move {
        assert_eq!(all(&store, &ChangeFilter::default(), Place::default()).await, []);
        let mut tx = store.begin().await.unwrap();
        let (plan, planned) = plan(1, &["zlib", "png"]);
        let number = plans::insert(&mut tx, &plan, &planned).await.unwrap();
        let build = queued(&mut tx, 1, "zlib", "a").await;
        tx.commit().await.unwrap();
        let first = all(&store, &ChangeFilter::default(), Place::default()).await;
        assert_eq!(
            told(&first),
            [
                format!("plan, plan {number},  planned"),
                "build zlib-1.3-1.f44, plan -, rpms/zlib#f44 queued".to_owned(),
            ]
        );

        let mut tx = store.begin().await.unwrap();
        let mut step = planned[0].clone();
        step.state = StepState::Rebuild;
        step.version = steps::update(&mut tx, &step).await.unwrap();
        // Nothing of its state changes.
        step.version = steps::update(&mut tx, &step).await.unwrap();
        builds::start(&mut tx, &fence(&build, "me"), at(2)).await.unwrap();
        builds::finish(&mut tx, &fence(&build, "me"), succeeded(1), at(3)).await.unwrap();
        let run = TestRun {
            id: id(1),
            artifact: artifact("zlib"),
            build: build.id,
            installed: digest("set"),
            snapshot: digest("snapshot"),
            with: Vec::new(),
            attempt: 1,
            state: TestRunState::Queued,
            created: at(4),
            version: 1,
        };
        test_runs::insert_or_find(&mut tx, &run).await.unwrap();
        test_runs::start(&mut tx, run.id, "me", 1, at(5)).await.unwrap();
        let decision = Decision {
            kind: DecisionKind::Passed,
            at: at(6),
            event: None,
            plan: Some(plan.id),
            artifact: Some(artifact("zlib")),
            sentence: "it passed".to_owned(),
            detail: serde_json::Value::Null,
        };
        decisions::append_many(&mut tx, &[decision]).await.unwrap();
        tx.commit().await.unwrap();
        let rest = all(&store, &ChangeFilter::default(), first[1].place).await;
        assert_eq!(
            told(&rest),
            [
                format!("step 0, plan {number}, rpms/zlib#f44 rebuild"),
                "build zlib-1.3-1.f44, plan -, rpms/zlib#f44 running".to_owned(),
                "build zlib-1.3-1.f44, plan -, rpms/zlib#f44 succeeded".to_owned(),
                "test run, plan -, rpms/zlib#f44 queued".to_owned(),
                "test run, plan -, rpms/zlib#f44 running".to_owned(),
                format!("decision it passed, plan {number}, rpms/zlib#f44 passed"),
            ]
        );
        let of_plan = ChangeFilter { plan: Some(number), artifact: None };
        assert_eq!(all(&store, &of_plan, Place::default()).await.len(), 3);
        let zlib = ChangeFilter { plan: Some(number), artifact: Some(artifact("zlib")) };
        assert_eq!(all(&store, &zlib, Place::default()).await.len(), 2);
        let nobody = ChangeFilter { artifact: Some(artifact("x")), ..ChangeFilter::default() };
        assert_eq!(all(&store, &nobody, Place::default()).await, []);
        forgets(&store, rest[5].place).await;
    })
    .await;
}

async fn forgets(store: &Store, last: Place) {
    let mut tx = store.begin().await.unwrap();
    changes::mend(&mut tx).await.unwrap();
    assert_eq!(changes::newest(&mut tx).await.unwrap(), last);
    let before = changes::oldest(&mut tx).await.unwrap();
    assert_eq!(changes::forget(&mut tx, 100).await.unwrap(), 0);
    assert_eq!(changes::forget(&mut tx, 2).await.unwrap(), 6);
    assert!(changes::oldest(&mut tx).await.unwrap() > before);
    tx.commit().await.unwrap();
    let kept = all(store, &ChangeFilter::default(), Place::default()).await;
    assert_eq!(kept.len(), 2);
    let mut reader = store.read().await.unwrap();
    let oldest = changes::oldest(&mut reader).await.unwrap();
    assert_eq!(all(store, &ChangeFilter::default(), oldest).await, kept);
}

/// On PostgreSQL a number is given before the commit: what a slower transaction wrote comes later, and is not missed.
#[tokio::test]
async fn a_slow_transaction_is_waited_for() {
    let database = TestDatabase::postgres().await;
    let store = Store::open(&database.url).await.unwrap();
    let mut slow = store.begin().await.unwrap();
    let slow_build = queued(&mut slow, 1, "zlib", "a").await;
    let mut quick = store.begin().await.unwrap();
    queued(&mut quick, 2, "png", "a").await;
    quick.commit().await.unwrap();
    assert_eq!(all(&store, &ChangeFilter::default(), Place::default()).await, []);
    slow.commit().await.unwrap();
    let seen = all(&store, &ChangeFilter::default(), Place::default()).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].artifact, Some(slow_build.artifact));
    // As after a restore into a younger server.
    store::testing::execute(&store, "UPDATE changes SET xact = xact + 1000000").await.unwrap();
    assert_eq!(all(&store, &ChangeFilter::default(), Place::default()).await, []);
    let mut tx = store.begin().await.unwrap();
    changes::mend(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(all(&store, &ChangeFilter::default(), Place::default()).await.len(), 2);
}

#[test]
fn places_are_read_as_they_are_written() {
    for text in ["0", "12", "70031.12"] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
    }
    for text in ["", "x", "-1", "1.", ".1", "1.-1", "99999999999999999999"] {
        assert!(text.parse::<Place>().is_err(), "{text} was accepted");
    }
    let place = |text: &str| text.parse::<Place>().unwrap();
    assert!(place("9") < place("10") && place("10") < place("9.1") && place("9.1") < place("10.0"));
}

#[tokio::test]
async fn writes_are_in_the_audit_log() {
    both(|store| async move {
        let entry = |actor: &str, status: Option<u32>| AuditEntry {
            at: at(1),
            actor: actor.to_owned(),
            remote: "192.0.2.1".to_owned(),
            method: "POST".to_owned(),
            path: "/api/v1/waivers".to_owned(),
            body: digest("{}"),
            request: "0192".to_owned(),
            status,
        };
        let mut tx = store.begin().await.unwrap();
        let begun = audit::begin(&mut tx, &entry("ann", None)).await.unwrap();
        audit::append_many(&mut tx, &[entry("bus", Some(202)), entry("bus", Some(200))])
            .await
            .unwrap();
        let listed = audit::list(&mut tx, Some("ann"), Page::default()).await.unwrap();
        assert_eq!(listed, [NumberedEntry { number: begun, entry: entry("ann", None) }]);
        audit::complete(&mut tx, begun, 201).await.unwrap();
        // What is recorded stays.
        audit::complete(&mut tx, begun, 500).await.unwrap();
        let listed = audit::list(&mut tx, None, Page::default()).await.unwrap();
        let statuses: Vec<Option<u32>> = listed.iter().map(|entry| entry.entry.status).collect();
        assert_eq!(statuses, [Some(200), Some(202), Some(201)]);
        let second = audit::list(&mut tx, None, Page::before(listed[1].number, 1)).await.unwrap();
        assert_eq!(second, listed[2..]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn sessions_end() {
    both(|store| async move {
        let session = |secret: &str, created: i64, end: i64| Session {
            secret: digest(secret),
            name: "ann".to_owned(),
            scopes: vec!["gate".to_owned()],
            created: at(created),
            end: at(end),
        };
        let mut tx = store.begin().await.unwrap();
        sessions::put(&mut tx, &session("a", 1, 5)).await.unwrap();
        let found = sessions::find(&mut tx, digest("a"), at(4)).await.unwrap();
        assert_eq!(found, Some(session("a", 1, 5)));
        assert_eq!(sessions::find(&mut tx, digest("a"), at(5)).await.unwrap(), None);
        assert_eq!(sessions::find(&mut tx, digest("b"), at(4)).await.unwrap(), None);
        sessions::put(&mut tx, &session("b", 6, 9)).await.unwrap();
        assert_eq!(sessions::find(&mut tx, digest("a"), at(1)).await.unwrap(), None);
        sessions::end(&mut tx, digest("b")).await.unwrap();
        assert_eq!(sessions::find(&mut tx, digest("b"), at(7)).await.unwrap(), None);
        tx.commit().await.unwrap();
    })
    .await;
}
