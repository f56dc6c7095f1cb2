//! Databases for tests: SQLite in a folder of its own, and a private PostgreSQL server.
//!
//! The server is the one the machine has installed (`initdb` on the PATH or in `/usr/lib/postgresql`). One is started for
//! each test process, with its data in a temporary folder and on a free port of the loopback address. A shell watches
//! over it whose standard input this process holds open: when the process ends, however it ends, the shell stops the
//! server by its pid and removes the folder. A missing PostgreSQL fails the tests, it does not skip them.

mod seed;

pub use seed::{Seed, image, seed};

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::database::{Pools, Store};
use crate::error::{Error, Result};

/// An empty database for one test. SQLite's is removed when this is dropped, PostgreSQL's with its server.
pub struct TestDatabase {
    /// Its address, as `Store::open` takes it.
    pub url: String,
    /// What keeps it there.
    _keep: Keep,
}

/// The folder of a SQLite database, or the server of a PostgreSQL one.
enum Keep {
    Folder { _folder: TempDir },
    Server { _server: Arc<PostgresServer> },
}

impl TestDatabase {
    /// An address in a new folder, where SQLite will make its file.
    ///
    /// # Panics
    /// When there can be no folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("could not make a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.sqlite").display());
        Self { url, _keep: Keep::Folder { _folder: folder } }
    }

    /// A new database on the server of this test process, which is started if it does not run yet.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says why.
    pub async fn postgres() -> Self {
        static SHARED: OnceLock<Arc<PostgresServer>> = OnceLock::new();
        let server = Arc::clone(SHARED.get_or_init(|| Arc::new(PostgresServer::start())));
        Self::on(server).await
    }

    /// A new database on a server of the test's own, which it may stop.
    ///
    /// # Panics
    /// When the server does not run.
    pub async fn on(server: Arc<PostgresServer>) -> Self {
        let url = server.create_database().await;
        Self { url, _keep: Keep::Server { _server: server } }
    }
}

/// A private PostgreSQL server.
pub struct PostgresServer {
    port: u16,
    watcher: Mutex<Watcher>,
    databases: AtomicU32,
}

struct Watcher {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Obeys `start` and `stop`, answering each with a line; at the end of its input it stops the server and cleans up.
/// `$1` is the folder, `$2` the programs' folder with a final slash or nothing, `$3` the port, the rest a command that
/// changes the user. The server stays a child of the shell, which reads its log to know when it is ready. It is stopped
/// by SIGQUIT, which is a crash to it: it recovers at the next start.
const WATCH: &str = r#"
folder=$1; bin=$2; port=$3; shift 3
cd "$folder" || exit 1
mkfifo pipe
start() {
    "$@" "${bin}postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories="$folder" -c fsync=off -c max_connections=200 \
        < /dev/null > pipe 2>&1 &
    server=$!
    exec 3< pipe
    ready=no
    while [ $ready = no ] && read -r line <&3; do
        echo "$line" >> log
        case $line in *'ready to accept connections'*) ready=yes ;; esac
    done
    cat <&3 >> log &
    exec 3<&-
    [ $ready = yes ]
}
stop() { kill -QUIT "$server" 2> /dev/null; wait; }
answer() { if "$@"; then echo ok; else tail -n 20 errors log 2> /dev/null | tr '\n' ' '; echo; fi; }
trap '' INT TERM HUP
if "$@" "${bin}initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null 2> errors
then answer start "$@"
else answer false
fi
while read -r order; do
    case $order in
        start) answer start "$@" ;;
        stop) answer stop ;;
    esac
done
stop
cd / && rm -rf "$folder"
"#;

impl PostgresServer {
    /// Starts a server with an empty data folder.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says why.
    pub fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("millstream-postgres-").tempdir();
        // The watcher removes it: this process may be killed.
        let folder = folder.expect("could not make a temporary folder").keep();
        let user = unprivileged_user(&folder);
        // Somebody else may take the port before the server does; then the server says so and the test fails.
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = port.expect("no free port on the loopback address").port();
        let mut process = Command::new("/bin/sh")
            .args(["-c", WATCH, "postgres-watch"])
            .args([folder.as_os_str(), programs.as_os_str(), OsStr::new(&port.to_string())])
            .args(user)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Away from the terminal's interrupt, so that it outlives this process by a moment.
            .process_group(0)
            .spawn()
            .expect("could not start /bin/sh");
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("the output was asked for"));
        let mut watcher = Watcher { process, orders, answers };
        watcher.expect_ok("start PostgreSQL");
        Self { port, watcher: Mutex::new(watcher), databases: AtomicU32::new(0) }
    }

    /// Stops the server as a crash would; every connection ends. Blocks until it is done.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts the server again, on the same port and with its data. Blocks until it takes connections.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        self.order("start");
    }

    fn order(&self, order: &str) {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = watcher.orders.as_mut().expect("only dropping takes it");
        writeln!(orders, "{order}").expect("the watcher of PostgreSQL is gone");
        watcher.expect_ok(order);
    }

    async fn create_database(&self) -> String {
        let server = format!("postgres://postgres@127.0.0.1:{}", self.port);
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&format!("{server}/postgres"))
            .await
            .expect("could not reach the private PostgreSQL");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("could not create a database");
        format!("{server}/{name}")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let watcher = self.watcher.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The end of its input ends the watcher.
        watcher.orders.take();
        let _ = watcher.process.wait();
    }
}

impl Watcher {
    fn expect_ok(&mut self, order: &str) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the watcher of PostgreSQL does not answer");
        assert_eq!(answer.trim(), "ok", "could not {order} with the private PostgreSQL");
    }
}

/// The folder of PostgreSQL's programs: the newest that Debian has installed, or nothing if they are on the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            // Joining nothing adds the final slash.
            Some((version, entry.path().join("bin").join("")))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, folder)) = found.pop() {
        return folder;
    }
    let on_path = Command::new("initdb").arg("--version").stdout(Stdio::null()).status();
    assert!(
        on_path.is_ok_and(|status| status.success()),
        "these tests need PostgreSQL: install its server (Debian: `apt-get install postgresql`), \
         or put its `initdb` on the PATH"
    );
    PathBuf::new()
}

/// PostgreSQL does not run as root. Then the command that changes to `nobody`, to whom the folder is given; nothing for
/// an ordinary user.
fn unprivileged_user(folder: &Path) -> Vec<String> {
    const NOBODY: u32 = 65_534;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Vec::new();
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).expect("could not give the folder away");
    let id = NOBODY.to_string();
    let command = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"];
    command.map(str::to_owned).to_vec()
}

/// Runs a statement as it is, on the connection that writes: to spoil a database as no function of the store would.
///
/// # Errors
/// What the database says.
pub async fn execute(store: &Store, sql: &str) -> Result<()> {
    let sql = AssertSqlSafe(sql.to_owned());
    match &store.pools {
        Pools::Sqlite { write, .. } => sqlx::query(sql).execute(write).await.map(drop),
        Pools::Postgres(pool) => sqlx::query(sql).execute(pool).await.map(drop),
    }
    .map_err(Error::from)
}

/// Every table with its columns, in the order of their creation.
///
/// # Errors
/// What the database says.
pub async fn tables(store: &Store) -> Result<Vec<(String, Vec<String>)>> {
    let sql = match store.dialect() {
        crate::Dialect::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
        }
        crate::Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) \
             FROM information_schema.columns WHERE table_schema = current_schema() \
             ORDER BY table_name COLLATE \"C\", ordinal_position"
        }
    };
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for mut row in store.read().await?.rows("the schema", sql, vec![]).await? {
        let (table, column): (String, String) = (row.take()?, row.take()?);
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => tables.push((table, vec![column])),
        }
    }
    Ok(tables)
}
