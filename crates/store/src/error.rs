//! What can go wrong with a store, sorted by what the caller can do about it.

use sqlx::error::DatabaseError;

/// The result of everything that touches the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database is away, locked, read-only or its disk is full. Nothing was changed; try again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Somebody else was first: a stale version, a taken id, a lost lease. Read again, then decide again.
    #[error("{0}")]
    Conflict(String),
    /// A row holds what this program cannot read.
    #[error("row {row} of table {table}: column {column} cannot be read: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// What identifies the row: its number, name or id.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database's tables are not the ones this program knows, and could not be made so.
    #[error("the database cannot be migrated: {0}")]
    Migration(String),
    /// The address is no database.
    #[error("{address:?} is no database: {problem}")]
    Address {
        /// The address as given, without a password.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database does not accept this, now or later: a value it cannot hold, a reference to nothing, a damaged file.
    #[error("the database refuses: {0}")]
    Refused(String),
}

impl Error {
    /// Whether the same call may succeed later without anything else being done.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(database) => from_database(database.as_ref()),
            E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed | E::BeginFailed => {
                Self::Unavailable(error.to_string())
            }
            E::PoolTimedOut => Self::Unavailable(
                "no connection within the time allowed: it is away or overloaded".to_owned(),
            ),
            E::PoolClosed => Self::Unavailable("the store was closed".to_owned()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> Error {
    let message = error.message().to_owned();
    let code = error.code().unwrap_or_default();
    if error.is_unique_violation() {
        return Error::Conflict(format!("it exists already: {message}"));
    }
    // SQLite's codes are numbers, PostgreSQL's have five characters.
    let sqlite = (error.try_downcast_ref::<sqlx::sqlite::SqliteError>())
        .and_then(|_| code.parse::<i32>().ok());
    match sqlite {
        Some(code) => from_sqlite(code, message),
        None => from_postgres(&code, message),
    }
}

/// <https://www.sqlite.org/rescode.html>: the low byte is the primary code.
fn from_sqlite(code: i32, message: String) -> Error {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const READONLY: i32 = 8;
    const IOERR: i32 = 10;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    match code & 0xff {
        BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN | PROTOCOL => {
            Error::Unavailable(message)
        }
        _ => Error::Refused(message),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn from_postgres(code: &str, message: String) -> Error {
    match code {
        // Serialization failure, deadlock: another transaction was first.
        "40001" | "40P01" => Error::Conflict(message),
        // A server in recovery or at its end: read-only, no lock to be had, a session ended for being idle.
        "25006" | "55P03" | "25P03" => Error::Unavailable(message),
        // Connections, resources (disk, memory, too many clients), an operator's intervention, the system.
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            Error::Unavailable(message)
        }
        _ => Error::Refused(message),
    }
}
