//! The tables: migrations for both databases under the same numbers, and what is wrong with them.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqlitePool};

use crate::connection::Dialect;
use crate::database::{Pools, Store};
use crate::error::{Error, Result};
use crate::{
    actual_builds, audit, builds, decisions, deliveries, edges, events, holds, inbox, notices,
    outbox, plans, publications, refs, removals, results, shadow_reports, sources, steps,
    subscriptions, test_runs, waivers,
};

/// Number, description, SQLite's text, PostgreSQL's text. Append only: a text that was released never changes.
const MIGRATIONS: [(i64, &str, &str, &str); 8] = [
    (
        1,
        "initial",
        include_str!("../migrations/sqlite/0001_initial.sql"),
        include_str!("../migrations/postgres/0001_initial.sql"),
    ),
    (
        2,
        "inputs of every kind",
        include_str!("../migrations/sqlite/0002_inputs.sql"),
        include_str!("../migrations/postgres/0002_inputs.sql"),
    ),
    (
        3,
        "rules",
        include_str!("../migrations/sqlite/0003_rules.sql"),
        include_str!("../migrations/postgres/0003_rules.sql"),
    ),
    (
        4,
        "api",
        include_str!("../migrations/sqlite/0004_api.sql"),
        include_str!("../migrations/postgres/0004_api.sql"),
    ),
    (
        5,
        "notifications",
        include_str!("../migrations/sqlite/0005_notifications.sql"),
        include_str!("../migrations/postgres/0005_notifications.sql"),
    ),
    (
        6,
        "retention",
        include_str!("../migrations/sqlite/0006_retention.sql"),
        include_str!("../migrations/postgres/0006_retention.sql"),
    ),
    (
        7,
        "shadow mode",
        include_str!("../migrations/sqlite/0007_shadow.sql"),
        include_str!("../migrations/postgres/0007_shadow.sql"),
    ),
    (
        8,
        "pages",
        include_str!("../migrations/sqlite/0008_pages.sql"),
        include_str!("../migrations/postgres/0008_pages.sql"),
    ),
];

/// A migration, and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub number: i64,
    /// What it does; `unknown` if this program does not have it.
    pub description: String,
    /// Whether it was applied.
    pub applied: bool,
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.map(|(number, description, sqlite, postgres)| {
        let sql = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        let kind = MigrationType::Simple;
        Migration::new(number, Cow::Borrowed(description), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.to_vec())
}

pub(crate) async fn migrate(pools: &Pools) -> Result<()> {
    match pools {
        Pools::Sqlite { write, .. } => migrate_sqlite(write).await,
        Pools::Postgres(pool) => {
            let mut connection = pool.acquire().await?;
            migrator(Dialect::Postgres)
                .run_direct(None, &mut *connection, false)
                .await
                .map_err(from_migrate)
        }
    }
}

/// sqlx takes a lock on PostgreSQL only, so the whole of it runs in one write transaction here: another process that
/// starts at the same time waits, and then finds the work done.
async fn migrate_sqlite(pool: &SqlitePool) -> Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrator(Dialect::Sqlite)
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(from_migrate)?;
    Ok(transaction.commit().await?)
}

fn from_migrate(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match Error::from(error) {
                Error::Unavailable(problem) => Error::Unavailable(problem),
                other => Error::Migration(other.to_string()),
            }
        }
        MigrateError::VersionMissing(number) => Error::Migration(format!(
            "it has migration {number}, which this program does not know: use a newer program"
        )),
        other => Error::Migration(other.to_string()),
    }
}

pub(crate) async fn status(store: &Store) -> Result<Vec<MigrationStatus>> {
    let mut conn = store.read().await?;
    let exists = match conn.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'",
        Dialect::Postgres => {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables \
             WHERE schemaname = current_schema() AND tablename = '_sqlx_migrations'"
        }
    };
    let mut applied: Vec<i64> = Vec::new();
    if conn.row("_sqlx_migrations", exists, vec![]).await?.is_some() {
        let sql = "SELECT version FROM _sqlx_migrations ORDER BY version";
        for mut row in conn.rows("_sqlx_migrations", sql, vec![]).await? {
            applied.push(row.take()?);
        }
    }
    let known = MIGRATIONS.iter().map(|(number, description, ..)| MigrationStatus {
        number: *number,
        description: (*description).to_owned(),
        applied: applied.contains(number),
    });
    let unknown = applied
        .iter()
        .filter(|number| MIGRATIONS.iter().all(|(known, ..)| known != *number))
        .map(|number| MigrationStatus {
            number: *number,
            description: "unknown".to_owned(),
            applied: true,
        });
    Ok(known.chain(unknown).collect())
}

pub(crate) async fn check(store: &Store) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for migration in status(store).await? {
        if !migration.applied {
            problems.push(format!(
                "migration {} ({}) is not applied",
                migration.number, migration.description
            ));
        }
    }
    if !problems.is_empty() {
        return Ok(problems);
    }
    problems.extend(damage(store).await?);
    let mut conn = store.snapshot().await?;
    // Every row is read as the program would read it; the first trouble of each table is told.
    let conn = &mut *conn;
    let findings = [
        inbox::check(conn).await,
        events::check(conn).await,
        refs::check(conn).await,
        sources::check(conn).await,
        edges::check(conn).await,
        builds::check(conn).await,
        plans::check(conn).await,
        steps::check(conn).await,
        test_runs::check(conn).await,
        results::check(conn).await,
        waivers::check(conn).await,
        holds::check(conn).await,
        publications::check(conn).await,
        decisions::check(conn).await,
        outbox::check(conn).await,
        audit::check(conn).await,
        removals::check(conn).await,
        subscriptions::check(conn).await,
        notices::check(conn).await,
        deliveries::check(conn).await,
        actual_builds::check(conn).await,
        shadow_reports::check(conn).await,
    ];
    for finding in findings {
        match finding {
            Ok(()) => {}
            Err(Error::Unavailable(problem)) => return Err(Error::Unavailable(problem)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok(problems)
}

/// What SQLite finds wrong with its file. PostgreSQL looks after its own.
async fn damage(store: &Store) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if store.dialect() == Dialect::Sqlite {
        let mut conn = store.read().await?;
        for mut row in conn.rows("sqlite_master", "PRAGMA quick_check", vec![]).await? {
            let finding: String = row.take()?;
            if finding != "ok" {
                problems.push(finding);
            }
        }
    }
    Ok(problems)
}
