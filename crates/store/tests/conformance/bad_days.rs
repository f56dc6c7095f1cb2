//! Databases that are away, locked, full, damaged or strange.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::message::Message;
use store::testing::{self, PostgresServer, TestDatabase};
use store::{Error, Options, Result, Store, builds, events, inbox, outbox, steps};

use crate::fixture::{at, committed, id, plan, queued};

fn message(id: &str, body: String) -> Message {
    Message { id: id.to_owned(), topic: "t".to_owned(), body }
}

async fn receive(store: &Store, id: &str, body: String) -> Result<()> {
    let mut tx = store.begin().await?;
    inbox::receive(&mut tx, &message(id, body), at(1)).await?;
    tx.commit().await
}

async fn count(store: &Store) -> Result<usize> {
    Ok(inbox::pending(&mut *store.read().await?, 1_000).await?.len())
}

fn assert_unavailable<T>(result: Result<T>, text: &str) {
    match result {
        Err(error @ Error::Unavailable(_)) => {
            assert!(error.is_retryable());
            assert!(error.to_string().contains(text), "{error} does not tell of {text:?}");
        }
        Err(error) => panic!("{error:?} is not Unavailable"),
        Ok(_) => panic!("it worked"),
    }
}

/// The caller gets to know soon, not when the test runner loses patience.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("no answer for 30 s")
}

fn impatient() -> Options {
    let short = Duration::from_millis(100);
    Options { busy: short, patience: short, queue: short, ..Options::default() }
}

#[tokio::test]
async fn a_postgres_that_goes_away_and_comes_back() {
    let server = Arc::new(PostgresServer::start());
    let database = TestDatabase::on(Arc::clone(&server)).await;
    let patient = Options { patience: Duration::from_secs(1), ..Options::default() };
    let store = Store::open_with(&database.url, &patient).await.unwrap();
    receive(&store, "before", String::new()).await.unwrap();

    let mut under_way = store.begin().await.unwrap();
    inbox::receive(&mut under_way, &message("lost", String::new()), at(1)).await.unwrap();
    let mut idle = store.read().await.unwrap();
    inbox::count(&mut idle).await.unwrap();
    server.stop();
    assert_unavailable(soon(under_way.commit()).await, "");
    assert_unavailable(soon(inbox::count(&mut idle)).await, "");
    drop(idle);
    for _ in 0..3 {
        assert_unavailable(soon(receive(&store, "away", String::new())).await, "");
        assert_unavailable(soon(count(&store)).await, "");
        assert_unavailable(soon(Store::open_with(&database.url, &patient)).await, "");
    }

    server.restart();
    receive(&store, "after", String::new()).await.unwrap();
    assert_eq!(count(&store).await.unwrap(), 2);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_full_disk() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&database.url).await.unwrap();
    receive(&store, "1", String::new()).await.unwrap();
    // As many pages as the file has; SQLite then says what it says of a full disk.
    testing::execute(&store, "PRAGMA max_page_count = 1").await.unwrap();
    assert_unavailable(receive(&store, "2", "x".repeat(1_000_000)).await, "full");
    assert_eq!(count(&store).await.unwrap(), 1);
    testing::execute(&store, "PRAGMA max_page_count = 1000000").await.unwrap();
    receive(&store, "2", "x".repeat(1_000_000)).await.unwrap();
    assert_eq!(count(&store).await.unwrap(), 2);
}

#[tokio::test]
async fn a_read_only_database() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&database.url).await.unwrap();
    testing::execute(&store, "PRAGMA query_only = ON").await.unwrap();
    assert_unavailable(receive(&store, "1", String::new()).await, "readonly");
    testing::execute(&store, "PRAGMA query_only = OFF").await.unwrap();
    receive(&store, "1", String::new()).await.unwrap();
}

#[tokio::test]
async fn a_database_another_process_writes_to() {
    let database = TestDatabase::sqlite();
    let other = Store::open(&database.url).await.unwrap();
    let store = Store::open_with(&database.url, &impatient()).await.unwrap();
    let tx = other.begin().await.unwrap();
    assert_unavailable(receive(&store, "1", String::new()).await, "locked");
    // Reading goes on meanwhile.
    assert_eq!(count(&store).await.unwrap(), 0);
    tx.commit().await.unwrap();
    receive(&store, "1", String::new()).await.unwrap();
}

#[tokio::test]
async fn a_database_another_process_keeps_for_itself() {
    let database = TestDatabase::sqlite();
    let other = Store::open(&database.url).await.unwrap();
    // Leaving WAL makes the lock of the next write one that keeps readers out as well.
    testing::execute(&other, "PRAGMA journal_mode = DELETE").await.unwrap();
    testing::execute(&other, "PRAGMA locking_mode = EXCLUSIVE").await.unwrap();
    receive(&other, "1", String::new()).await.unwrap();
    let options = Options { queue: Duration::from_secs(10), ..impatient() };
    assert_unavailable(soon(Store::open_with(&database.url, &options)).await, "locked");
    other.close().await;
    let store = Store::open(&database.url).await.unwrap();
    assert_eq!(count(&store).await.unwrap(), 1);
}

#[tokio::test]
async fn a_writer_that_does_not_end() {
    let database = TestDatabase::sqlite();
    let store = Store::open_with(&database.url, &impatient()).await.unwrap();
    let tx = store.begin().await.unwrap();
    assert_unavailable(receive(&store, "1", String::new()).await, "no connection");
    drop(tx);
    receive(&store, "1", String::new()).await.unwrap();
}

#[tokio::test]
async fn a_place_where_no_database_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "this is a text, and long enough to be no SQLite header\n").unwrap();
    let below = format!("sqlite:{}/db", file.display());
    assert_unavailable(Store::open(&below).await, &file.display().to_string());
    let text = Store::open(&format!("sqlite:{}", file.display())).await.map(drop).unwrap_err();
    assert!(matches!(&text, Error::Refused(why) if why.contains("not a database")), "{text}");
    let is_folder = Store::open(&format!("sqlite:{}", folder.path().display())).await;
    assert_unavailable(is_folder, "");
    // It is made where it can be, folders and all.
    let deep = format!("sqlite:{}/a/b/db", folder.path().display());
    Store::open(&deep).await.unwrap();
    assert!(folder.path().join("a/b/db").exists());
}

#[tokio::test]
async fn addresses_that_are_none() {
    let bad = ["", "zlib", "mysql://u:secret@h/d", "sqlite:", "sqlite::memory:", "postgres:db"];
    for address in bad {
        let error = Store::open(address).await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{address}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let store = Store::open(&database.url).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        queued(&mut tx, 2, "zlib", "b").await;
        events::insert(&mut tx, id(1), &committed("zlib", 1), at(1)).await.unwrap();
        let (plan, list) = plan(1, &["zlib"]);
        store::plans::insert(&mut tx, &plan, &list).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());

        let spoilt = [
            "UPDATE builds SET detail = 'nonsense' WHERE number = 2",
            "UPDATE events SET document = '{}'",
            "UPDATE steps SET round = -1",
        ];
        for sql in spoilt {
            testing::execute(&store, sql).await.unwrap();
        }
        let mut conn = store.read().await.unwrap();
        let build = builds::get(&mut conn, id(2)).await.map(drop);
        assert_names(build, ("builds", "detail", "2"));
        builds::get(&mut conn, id(1)).await.unwrap();
        let event = events::pending(&mut conn, 5).await.map(drop);
        assert_names(event, ("events", "document", "1"));
        let step = steps::of_plan(&mut conn, id(1)).await.map(drop);
        assert_names(step, ("steps", "round", "1"));
        let problems = store.check().await.unwrap();
        assert_eq!(problems.len(), 3, "{problems:?}");

        // The facts of one state under the name of another.
        testing::execute(&store, "UPDATE builds SET state = 'failed' WHERE number = 1")
            .await
            .unwrap();
        let build = builds::get(&mut conn, id(1)).await.map(drop);
        assert_names(build, ("builds", "detail", "1"));
        let names = "UPDATE artifacts SET name = '-x'";
        testing::execute(&store, names).await.unwrap();
        let build = builds::get(&mut conn, id(1)).await.map(drop);
        assert_names(build, ("builds", "name", "1"));
    }
}

fn assert_names(result: Result<()>, expected: (&str, &str, &str)) {
    match result {
        Err(Error::Inconsistent { table, column, row, .. }) => {
            assert_eq!((table, column.as_str(), row.as_str()), expected);
        }
        other => panic!("{other:?} is not Inconsistent"),
    }
}

#[tokio::test]
async fn texts_with_nul_do_no_harm() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let store = Store::open(&database.url).await.unwrap();
        let out = outbox::Outgoing {
            id: id(1),
            topic: "a\0b".to_owned(),
            body: serde_json::json!("c\0d"),
            at: at(1),
        };
        let mut tx = store.begin().await.unwrap();
        outbox::push(&mut tx, &out).await.unwrap();
        let pending = outbox::pending(&mut tx, 1).await.unwrap();
        assert_eq!(pending[0].topic, "a\u{fffd}b");
        assert_eq!(pending[0].body, out.body);
    }
}
