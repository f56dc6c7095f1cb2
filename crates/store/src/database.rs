//! Opening a store, and handing out its connections.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::artifacts::KnownIds;
use crate::connection::{Dialect, Reader, Tx};
use crate::error::{Error, Result};
use crate::schema::{self, MigrationStatus};

/// How much of SQLite's file the writer keeps in memory: 32 MiB, in SQLite's way of saying it.
const WRITER_CACHE: &str = "-32768";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bring the tables up to date first.
    pub migrate: bool,
    /// How long SQLite waits for another process's write to end.
    pub busy: Duration,
    /// How long a caller waits for a connection: PostgreSQL being away, or every connection being in use.
    pub patience: Duration,
    /// How long a caller waits for its turn to write to SQLite, behind the others of this process.
    pub queue: Duration,
    /// How many connections there are at most; for SQLite, to read with.
    pub connections: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            migrate: true,
            busy: Duration::from_secs(5),
            patience: Duration::from_secs(3),
            queue: Duration::from_secs(30),
            connections: 8,
        }
    }
}

/// What Millstream remembers. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    ids: Arc<KnownIds>,
}

#[derive(Clone)]
pub(crate) enum Pools {
    /// SQLite has one writer. Its callers queue in the order in which they came.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens `sqlite:PATH` (made on first use, its folder as well) or `postgres://…`, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unavailable`] or [`Error::Migration`].
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, &Options::default()).await
    }

    /// Opens a store as `options` say.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, options: &Options) -> Result<Self> {
        let pools = match Address::from_str(url)? {
            Address::Sqlite(path) => open_sqlite(&path, options).await?,
            Address::Postgres(connect) => open_postgres(*connect, options).await?,
        };
        let store = Self { pools, ids: Arc::default() };
        if options.migrate {
            store.migrate().await?;
        }
        Ok(store)
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins a transaction for writing. On SQLite it holds the only write lock until it ends: keep it short.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin(&self) -> Result<Tx> {
        let ids = Arc::clone(&self.ids);
        Ok(match &self.pools {
            // A deferred transaction that reads first and writes later fails at once when another wrote meanwhile,
            // whatever the busy timeout; an immediate one waits for its turn.
            Pools::Sqlite { write, .. } => {
                Tx::sqlite(write.begin_with("BEGIN IMMEDIATE").await?, ids)
            }
            Pools::Postgres(pool) => Tx::postgres(pool.begin().await?, ids),
        })
    }

    /// A connection for reading; each query sees the newest state.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn read(&self) -> Result<Reader> {
        let ids = Arc::clone(&self.ids);
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => Reader::sqlite(read.acquire().await?, ids),
            Pools::Postgres(pool) => Reader::postgres(pool.acquire().await?, ids),
        })
    }

    /// A connection for reading; all its queries see one and the same state.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn snapshot(&self) -> Result<Reader> {
        let ids = Arc::clone(&self.ids);
        Ok(Reader::of(match &self.pools {
            Pools::Sqlite { read, .. } => Tx::sqlite(read.begin().await?, ids),
            Pools::Postgres(pool) => Tx::postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
                ids,
            ),
        }))
    }

    /// Brings the tables up to date. Several processes may do so at once; one does the work.
    ///
    /// # Errors
    /// [`Error::Migration`], also when the tables are newer than this program.
    pub async fn migrate(&self) -> Result<()> {
        schema::migrate(&self.pools).await
    }

    /// Which migrations there are, and which were applied. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Migration`].
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>> {
        schema::status(self).await
    }

    /// What is wrong with the database, as sentences: missing migrations, damage, rows that cannot be read.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn check(&self) -> Result<Vec<String>> {
        schema::check(self).await
    }

    /// Ends all connections, after those in use were given back.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

enum Address {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let invalid = |problem: String| Error::Address { address: without_password(url), problem };
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(invalid("the path is missing".to_owned())),
                // Every connection would have a memory of its own.
                ":memory:" => Err(invalid("it has to be a file".to_owned())),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|error| invalid(error.to_string()))?
                .application_name("millstream");
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(invalid("expected sqlite:PATH or postgres://USER@HOST/NAME".to_owned()))
    }
}

/// The address with everything between `://` and the last `@` before the host left out.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

async fn open_sqlite(path: &Path, options: &Options) -> Result<Pools> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(|error| {
            Error::Unavailable(format!("could not make the folder {}: {error}", folder.display()))
        })?;
    }
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.busy)
        .foreign_keys(true)
        .statement_cache_capacity(256);
    // The connections live as long as the store: there is no server to be lenient with, and a file needs no ping.
    let pool = || {
        let pool = SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None);
        // When the disk is full SQLite ends a transaction by itself. The connection then takes itself to be in one for
        // ever and can begin no other; another connection takes its place.
        pool.test_before_acquire(false).before_acquire(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_free) })
        })
    };
    let write = pool().max_connections(1).acquire_timeout(options.queue);
    let wal = connect.clone().journal_mode(SqliteJournalMode::Wal);
    // Only the writer's pages stay valid from one transaction to the next.
    let wal = wal.pragma("cache_size", WRITER_CACHE);
    let write = connect_sqlite(write, wal, options.busy).await;
    let write = write.map_err(|error| with_place(error, path))?;
    let read = pool()
        .max_connections(options.connections)
        .acquire_timeout(options.patience)
        .connect_lazy_with(connect.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { write, read })
}

/// Connects, trying again while another process keeps the file locked: changing a new file to WAL does not wait while
/// another process does the same, it fails at once.
async fn connect_sqlite(
    pool: SqlitePoolOptions,
    connect: SqliteConnectOptions,
    busy: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let mut last = sqlx::Error::PoolTimedOut;
    let attempts = async {
        loop {
            match pool.clone().connect_with(connect.clone()).await {
                Err(error) if is_locked(&error) => last = error,
                done => return done,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // Twice, since where SQLite does wait, one attempt takes as long as `busy`.
    match tokio::time::timeout(busy * 2, attempts).await {
        Ok(done) => done,
        Err(_) => Err(last),
    }
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    // SQLITE_BUSY and its extended codes, of which the low byte is the same.
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}

fn with_place(error: sqlx::Error, path: &Path) -> Error {
    match Error::from(error) {
        Error::Unavailable(problem) => Error::Unavailable(format!("{}: {problem}", path.display())),
        Error::Refused(problem) => Error::Refused(format!("{}: {problem}", path.display())),
        other => other,
    }
}

async fn open_postgres(connect: PgConnectOptions, options: &Options) -> Result<Pools> {
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.patience)
        .connect_with(connect.statement_cache_capacity(256))
        .await?;
    Ok(Pools::Postgres(pool))
}
