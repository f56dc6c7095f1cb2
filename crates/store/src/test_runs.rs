//! Test runs: one for each build and set of installed packages.

use model::clock::Timestamp;
use model::digest::Digest;
use model::id::{BuildId, TestRunId};
use model::test::{TestRun, TestRunState};

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{Bind, args, json};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.number, r.id, a.kind, a.name, a.branch, r.build, r.installed, r.snapshot, ",
            "r.with_builds, r.attempt, r.state, r.detail, r.created, r.version ",
            "FROM test_runs r JOIN artifacts a ON a.id = r.artifact ",
            $rest
        )
    };
}

/// Stores a run, unless there is one of the same build with the same packages; gives the stored one and whether it is
/// new.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken; [`Error::Refused`] when there is no such build.
pub async fn insert_or_find(tx: &mut Tx, run: &TestRun) -> Result<(TestRun, bool)> {
    let artifact = artifacts::ensure(tx, &run.artifact).await?;
    let sql = "INSERT INTO test_runs (id, artifact, build, installed, snapshot, with_builds, \
               attempt, state, detail, created, changed, version) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (build, installed) DO NOTHING";
    let mut values = args![run.id, artifact, run.build, run.installed, run.snapshot];
    values.extend(args![json(&run.with)?, run.attempt, run.state.name(), json(&run.state)?]);
    values.extend(args![run.created, run.created, run.version]);
    let new = tx.execute(sql, values).await? == 1;
    match find(tx, run.build, run.installed).await? {
        Some(stored) => Ok((stored, new)),
        None => Err(Error::Conflict(format!("test run {} was there and is not", run.id))),
    }
}

/// The run of a build with these packages installed, if there is one.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn find(conn: &mut Conn, build: BuildId, installed: Digest) -> Result<Option<TestRun>> {
    let sql = select!("WHERE r.build = $1 AND r.installed = $2");
    conn.row("test_runs", sql, args![build, installed]).await?.map(decode).transpose()
}

/// A run by its id.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: TestRunId) -> Result<Option<TestRun>> {
    conn.row("test_runs", select!("WHERE r.id = $1"), args![id]).await?.map(decode).transpose()
}

/// Those runs of `ids` that there are, in any order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get_many(conn: &mut Conn, ids: &[TestRunId]) -> Result<Vec<TestRun>> {
    let ids = ids.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("test_runs", select!("WHERE r.id IN ({})"), ids).await?;
    rows.into_iter().map(decode).collect()
}

/// The runs of a build, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn of_build(conn: &mut Conn, build: BuildId) -> Result<Vec<TestRun>> {
    let sql = select!("WHERE r.build = $1 ORDER BY r.number");
    conn.rows("test_runs", sql, args![build]).await?.into_iter().map(decode).collect()
}

/// The runs that wait for a place, in the order of asking.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn queued(conn: &mut Conn, limit: u32) -> Result<Vec<TestRun>> {
    let sql = select!("WHERE r.state = 'queued' ORDER BY r.number LIMIT $1");
    conn.rows("test_runs", sql, args![limit]).await?.into_iter().map(decode).collect()
}

/// The runs that are under way.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn running(conn: &mut Conn) -> Result<Vec<TestRun>> {
    let sql = select!("WHERE r.state = 'running' ORDER BY r.number");
    conn.rows("test_runs", sql, vec![]).await?.into_iter().map(decode).collect()
}

/// Stores a run's attempt and state, and gives its new version.
///
/// # Errors
/// [`Error::Conflict`] when it is not at `run.version` any more.
pub async fn update(tx: &mut Tx, run: &TestRun, at: Timestamp) -> Result<i64> {
    let sql = "UPDATE test_runs SET attempt = $3, state = $4, detail = $5, changed = $6, \
               version = version + 1 WHERE id = $1 AND version = $2";
    let mut values = args![run.id, run.version, run.attempt, run.state.name()];
    values.extend(args![json(&run.state)?, at]);
    match tx.execute(sql, values).await? {
        0 => Err(Error::Conflict(format!(
            "test run {} is not at version {} any more",
            run.id, run.version
        ))),
        _ => Ok(run.version + 1),
    }
}

/// Gives a queued run to an owner. The version it then has fences the owner's report.
///
/// # Errors
/// [`Error::Conflict`] when it is not queued any more, or at another attempt.
pub async fn start(
    tx: &mut Tx,
    id: TestRunId,
    owner: &str,
    attempt: u32,
    at: Timestamp,
) -> Result<TestRun> {
    let run = get(tx, id).await?;
    let queued = |run: &TestRun| run.state == TestRunState::Queued && run.attempt == attempt;
    let Some(mut run) = run.filter(queued) else {
        return Err(Error::Conflict(format!("test run {id} is not queued at attempt {attempt}")));
    };
    run.state = TestRunState::Running { owner: owner.to_owned(), since: at };
    run.version = update(tx, &run, at).await?;
    Ok(run)
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("test_runs", select!(""), "r.number", decode).await
}

fn decode(mut row: Row) -> Result<TestRun> {
    let _number: i64 = row.take()?;
    Ok(TestRun {
        id: row.take()?,
        artifact: row.artifact()?,
        build: row.take()?,
        installed: row.take()?,
        snapshot: row.take()?,
        with: row.json()?,
        attempt: row.take()?,
        state: row.state(TestRunState::name)?,
        created: row.take()?,
        version: row.take()?,
    })
}
