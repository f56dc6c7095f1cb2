//! Figures for metrics and alarms.

use std::collections::BTreeMap;

use model::clock::Timestamp;

use crate::connection::Conn;
use crate::error::Result;
use crate::inbox;

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When the last message came.
    pub last_message: Option<Timestamp>,
    /// When a step, a build or a test run changed last.
    pub last_progress: Option<Timestamp>,
    /// Messages in the inbox, by state.
    pub messages: BTreeMap<String, u64>,
    /// Events, by state.
    pub events: BTreeMap<String, u64>,
    /// Builds, by state.
    pub builds: BTreeMap<String, u64>,
    /// Test runs, by state.
    pub test_runs: BTreeMap<String, u64>,
    /// Steps that are not settled, by state.
    pub open_steps: BTreeMap<String, u64>,
    /// Plans with such steps.
    pub open_plans: u64,
    /// Messages in the outbox that have not left.
    pub unsent: u64,
}

/// How things stand.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn read(conn: &mut Conn) -> Result<Health> {
    let counts = count_all(conn).await?;
    let of = |table: &str| counts.get(table).cloned().unwrap_or_default();
    let only = |table: &str| of(table).values().sum();
    Ok(Health {
        last_message: inbox::last_received_at(conn).await?,
        last_progress: last_progress(conn).await?,
        messages: of("inbox"),
        events: of("events"),
        builds: of("builds"),
        test_runs: of("test_runs"),
        open_steps: of("steps"),
        open_plans: only("plans"),
        unsent: only("outbox"),
    })
}

/// When a step, a build or a test run changed last.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn last_progress(conn: &mut Conn) -> Result<Option<Timestamp>> {
    // Three searches in three indexes, in one query.
    let sql = "SELECT max(at) FROM (SELECT max(since) AS at FROM steps \
               UNION ALL SELECT max(changed) FROM builds \
               UNION ALL SELECT max(changed) FROM test_runs) latest";
    let row = conn.row("steps", sql, vec![]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?.flatten())
}

/// What is different after anything that pages show was written: the newest of each thing that is appended or changed.
///
/// Cheap to ask for: it is searched at the ends of indexes.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn pulse(conn: &mut Conn) -> Result<Vec<i64>> {
    let sql = "SELECT max(number) FROM decisions UNION ALL SELECT max(number) FROM events \
               UNION ALL SELECT max(number) FROM inbox UNION ALL SELECT max(number) FROM plans \
               UNION ALL SELECT max(number) FROM builds UNION ALL SELECT max(number) FROM results \
               UNION ALL SELECT max(number) FROM waivers UNION ALL SELECT max(number) FROM holds \
               UNION ALL SELECT max(number) FROM changes \
               UNION ALL SELECT max(since) FROM steps \
               UNION ALL SELECT max(changed) FROM builds \
               UNION ALL SELECT max(changed) FROM test_runs";
    let rows = conn.rows("counts", sql, vec![]).await?;
    rows.into_iter().map(|mut row| Ok(row.take::<Option<i64>>()?.unwrap_or(0))).collect()
}

async fn count_all(conn: &mut Conn) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let sql = "SELECT 'inbox' AS what, state, count(*) FROM inbox GROUP BY state \
               UNION ALL SELECT 'events', state, count(*) FROM events GROUP BY state \
               UNION ALL SELECT 'builds', state, count(*) FROM builds GROUP BY state \
               UNION ALL SELECT 'test_runs', state, count(*) FROM test_runs GROUP BY state \
               UNION ALL SELECT 'steps', state, count(*) FROM steps WHERE settled = 0 \
               GROUP BY state \
               UNION ALL SELECT 'plans', 'open', count(*) FROM plans WHERE unsettled > 0 \
               UNION ALL SELECT 'outbox', 'unsent', count(*) FROM outbox WHERE sent IS NULL";
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for mut row in conn.rows("counts", sql, vec![]).await? {
        counts.entry(row.take()?).or_default().insert(row.take()?, row.take()?);
    }
    Ok(counts)
}

/// The rows of a query for states and how often each occurs.
pub(crate) async fn count_by_state(
    conn: &mut Conn,
    sql: &'static str,
) -> Result<BTreeMap<String, u64>> {
    let rows = conn.rows("counts", sql, vec![]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}
