//! Results of test cases, in the order in which they were reported.

use std::collections::BTreeMap;

use model::artifact::ArtifactKey;
use model::id::{BuildId, TestRunId};
use model::test::TestResult;

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.number, r.id, r.run, a.kind, a.name, a.branch, r.build, r.test_case, ",
            "r.outcome, r.note, r.at FROM results r JOIN artifacts a ON a.id = r.artifact ",
            $rest
        )
    };
}

/// Stores results, in their order.
///
/// # Errors
/// [`crate::Error::Conflict`] when an id is taken; [`crate::Error::Refused`] when there is no such build or run.
pub async fn insert_many(tx: &mut Tx, results: &[TestResult]) -> Result<()> {
    let ids = artifacts::ensure_all(tx, results.iter().map(|result| &result.artifact)).await?;
    let mut values = Vec::with_capacity(results.len() * 8);
    for result in results {
        let artifact = ids.get(&result.artifact).copied();
        values.extend(args![result.id, result.run, artifact, result.build]);
        values.extend(args![&result.case, result.outcome.as_str(), &result.note, result.at]);
    }
    let sql = "INSERT INTO results (id, run, artifact, build, test_case, outcome, note, at) \
               VALUES {}";
    tx.insert_rows(sql, 8, values).await
}

/// The results of a run, in the order of reporting.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn for_run(conn: &mut Conn, run: TestRunId) -> Result<Vec<TestResult>> {
    let sql = select!("WHERE r.run = $1 ORDER BY r.number");
    let rows = conn.rows("results", sql, args![run]).await?;
    rows.into_iter().map(|row| decode(row).map(|(_, result)| result)).collect()
}

/// Every result of some builds, in the order of reporting.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn for_builds(conn: &mut Conn, builds: &[BuildId]) -> Result<Vec<TestResult>> {
    let ids = builds.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("results", select!("WHERE r.build IN ({})"), ids).await?;
    let mut found: Vec<(i64, TestResult)> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, result)| result).collect())
}

/// The newest result of each test case of some builds.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn latest(
    conn: &mut Conn,
    builds: &[BuildId],
) -> Result<BTreeMap<(BuildId, String), TestResult>> {
    // In the order of reporting: of two with one key, the later one stays.
    let all = for_builds(conn, builds).await?;
    Ok(all.into_iter().map(|result| ((result.build, result.case.clone()), result)).collect())
}

/// A result with its public number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedResult {
    /// Its number, in the order of reporting.
    pub number: i64,
    /// The result.
    pub result: TestResult,
}

/// The newest results, of one build or of all, of one artifact or of all.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    build: Option<BuildId>,
    artifact: Option<&ArtifactKey>,
    page: Page,
) -> Result<Vec<NumberedResult>> {
    let mut filter = Filter::new("r.number", page);
    if let Some(key) = artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("r.artifact", Some(id));
    }
    filter.equals("r.build", build);
    let (sql, values) = filter.query(select!(""), "r.number", page);
    let rows = conn.rows("results", sql, values).await?;
    let numbered = |row| decode(row).map(|(number, result)| NumberedResult { number, result });
    rows.into_iter().map(numbered).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("results", select!(""), "r.number", decode).await
}

fn decode(mut row: Row) -> Result<(i64, TestResult)> {
    let number = row.take()?;
    let result = TestResult {
        id: row.take()?,
        run: row.take()?,
        artifact: row.artifact()?,
        build: row.take()?,
        case: row.take()?,
        outcome: row.parse()?,
        note: row.take()?,
        at: row.take()?,
    };
    Ok((number, result))
}
