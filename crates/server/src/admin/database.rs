//! `millstream db`: brings the tables up to date, and looks for damage.

use std::fmt;

use serde::Serialize;
use store::MigrationStatus;

use super::{Admin, AdminError, open_as_it_is, sqlite_path};
use crate::config::Config;

/// The migrations a database has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migrations {
    /// Number and description of each, and whether it was there before.
    pub migrations: Vec<MigrationView>,
}

/// A migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationView {
    /// Its number.
    pub number: i64,
    /// What it does.
    pub description: String,
    /// Whether the database had it before.
    pub was_applied: bool,
}

impl fmt::Display for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.migrations.iter().try_for_each(|migration| {
            let what = if migration.was_applied { "was there" } else { "applied now" };
            writeln!(f, "migration {} ({}): {what}", migration.number, migration.description)
        })
    }
}

/// What is wrong with a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseCheck {
    /// Each trouble as a sentence.
    pub problems: Vec<String>,
}

impl DatabaseCheck {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for DatabaseCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sound() {
            return writeln!(f, "the database is sound");
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

/// Brings the tables of the configured database up to date; makes it if need be.
///
/// # Errors
/// [`AdminError::Store`], also when the tables are newer than this program.
pub async fn migrate(config: &Config) -> Result<Migrations, AdminError> {
    let store = open_as_it_is(config).await?;
    let before = store.migration_status().await?;
    store.migrate().await?;
    let view = |migration: MigrationStatus| MigrationView {
        number: migration.number,
        description: migration.description,
        was_applied: migration.applied,
    };
    store.close().await;
    Ok(Migrations { migrations: before.into_iter().map(view).collect() })
}

/// Looks for missing migrations, damage, and rows that cannot be read. Changes nothing.
///
/// # Errors
/// [`AdminError::Input`] when there is no such database.
pub async fn check(config: &Config) -> Result<DatabaseCheck, AdminError> {
    if let Some(path) = sqlite_path(&config.db_url())
        && !std::path::Path::new(&path).exists()
    {
        return Err(AdminError::Input(format!(
            "there is no database {path}: `millstream db migrate` makes it"
        )));
    }
    let store = open_as_it_is(config).await?;
    let problems = store.check().await?;
    store.close().await;
    Ok(DatabaseCheck { problems })
}

impl Admin {
    /// Which database it is, for people.
    pub(crate) fn database_kind(&self) -> &'static str {
        match self.store.dialect() {
            store::Dialect::Sqlite => "SQLite",
            store::Dialect::Postgres => "PostgreSQL",
        }
    }
}
