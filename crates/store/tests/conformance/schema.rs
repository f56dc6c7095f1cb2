//! The tables themselves, and that every query is run by these tests.

use std::collections::BTreeSet;
use std::path::Path;

use store::testing::{self, TestDatabase};
use store::{Dialect, Error, Options, Store};

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let sqlite = TestDatabase::sqlite();
    let postgres = TestDatabase::postgres().await;
    let sqlite = Store::open(&sqlite.url).await.unwrap();
    let postgres = Store::open(&postgres.url).await.unwrap();
    assert_eq!(sqlite.dialect(), Dialect::Sqlite);
    assert_eq!(postgres.dialect(), Dialect::Postgres);
    let tables = testing::tables(&sqlite).await.unwrap();
    assert_eq!(tables, testing::tables(&postgres).await.unwrap());
    let names: Vec<&str> = tables.iter().map(|(table, _)| table.as_str()).collect();
    assert!(names.contains(&"inbox") && names.contains(&"tokens"), "{names:?}");
}

#[tokio::test]
async fn migrations_are_applied_once_and_told() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let options = Options { migrate: false, ..Options::default() };
        let store = Store::open_with(&database.url, &options).await.unwrap();
        let applied = async || {
            let status = store.migration_status().await.unwrap();
            status.iter().map(|migration| migration.applied).collect::<Vec<_>>()
        };
        assert_eq!(applied().await, [false; 3]);
        let missing = [(1, "initial"), (2, "inputs of every kind"), (4, "api")]
            .map(|(number, what)| format!("migration {number} ({what}) is not applied"));
        assert_eq!(store.check().await.unwrap(), missing);
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(applied().await, [true; 3]);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn newer_tables_are_left_alone() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let store = Store::open(&database.url).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     SELECT 999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        testing::execute(&store, newer).await.unwrap();
        let refused = Store::open(&database.url).await.map(drop).unwrap_err();
        assert!(matches!(&refused, Error::Migration(text) if text.contains("999")), "{refused}");
        let status = store.migration_status().await.unwrap();
        let last = status.last().unwrap();
        assert_eq!((last.number, last.description.as_str()), (999, "unknown"));
    }
}

#[tokio::test]
async fn a_changed_migration_is_noticed() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let store = Store::open(&database.url).await.unwrap();
        let spoil = match store.dialect() {
            Dialect::Sqlite => "UPDATE _sqlx_migrations SET checksum = x'00'",
            Dialect::Postgres => "UPDATE _sqlx_migrations SET checksum = '\\x00'",
        };
        testing::execute(&store, spoil).await.unwrap();
        let refused = Store::open(&database.url).await.map(drop).unwrap_err();
        assert!(matches!(refused, Error::Migration(_)), "{refused}");
    }
}

/// Every `pub async fn` of every module stands somewhere in these tests as `module::name(`.
#[test]
fn every_public_query_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |folder: &str| {
        let files = std::fs::read_dir(root.join(folder)).unwrap();
        files
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                (path.file_stem().unwrap().to_str().unwrap().to_owned(), text)
            })
            .collect::<Vec<_>>()
    };
    let tests: String = read("tests/conformance").into_iter().map(|(_, text)| text).collect();
    let mut queries = BTreeSet::new();
    for (module, text) in read("src") {
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split(['(', '<']).next().unwrap();
                queries.insert(format!("{module}::{name}"));
            }
        }
    }
    assert!(queries.len() > 80, "only {} queries were found", queries.len());
    let missing: Vec<_> =
        queries.iter().filter(|query| !tests.contains(&format!("{query}("))).collect();
    let missing: Vec<_> =
        missing.into_iter().filter(|q| !tests.contains(&format!("{q}::<"))).collect();
    assert_eq!(missing, [""; 0], "these queries are run by no test");
}
