//! What changed, in an order that can be followed: decisions, plans, and the states of steps, builds and test runs.
//!
//! Triggers write it. Whoever follows it keeps the place of the last change seen and asks for what comes after.

use std::fmt;
use std::str::FromStr;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;

use crate::artifacts;
use crate::connection::{Conn, Dialect, Tx};
use crate::error::Result;
use crate::row::Row;
use crate::value::{Bind as _, args};

/// The place of a change among all of them, written `12` or `70031.12`: the transaction, where the database has more
/// than one writer, and the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    transaction: i64,
    number: i64,
}

/// A text that is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in the stream")]
pub struct InvalidPlace(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transaction {
            0 => write!(f, "{}", self.number),
            transaction => write!(f, "{transaction}.{}", self.number),
        }
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (transaction, number) = text.split_once('.').unwrap_or(("0", text));
        let read = |text: &str| text.parse().ok().filter(|number| *number >= 0);
        let place = read(transaction).zip(read(number));
        let place = place.map(|(transaction, number)| Self { transaction, number });
        place.ok_or_else(|| InvalidPlace(text.to_owned()))
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A line was added to the ledger.
    Decision {
        /// Its number.
        number: i64,
        /// Its reason as a sentence.
        sentence: String,
    },
    /// A plan was made.
    Plan,
    /// A step entered a state.
    Step {
        /// Its position in the plan.
        index: i64,
    },
    /// A build was asked for, or entered a state.
    Build {
        /// Its number.
        number: i64,
        /// Its NVR.
        nvr: String,
    },
    /// A test run was asked for, or entered a state.
    TestRun {
        /// Its number.
        number: i64,
    },
}

/// A change at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place.
    pub place: Place,
    /// When.
    pub at: Timestamp,
    /// What changed.
    pub changed: Changed,
    /// The public number of the plan. Builds and test runs may serve several and have none.
    pub plan: Option<i64>,
    /// About which artifact.
    pub artifact: Option<ArtifactKey>,
    /// The state that was entered, or the kind of the decision.
    pub state: String,
}

/// Which changes are followed; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct ChangeFilter {
    /// Those in the plan of this number.
    pub plan: Option<i64>,
    /// Those about this artifact.
    pub artifact: Option<ArtifactKey>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.number, c.xact, c.at, c.plan, a.kind, a.name, a.branch, c.state, c.what, ",
            "c.subject, d.sentence, b.nvr FROM changes c LEFT JOIN artifacts a ON a.id = c.artifact ",
            "LEFT JOIN decisions d ON c.what = 'decision' AND d.number = c.subject ",
            "LEFT JOIN builds b ON c.what = 'build' AND b.number = c.subject ",
            $rest
        )
    };
}

/// The place of the newest change that is not overtaken by an older one any more.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn newest(conn: &mut Conn) -> Result<Place> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => {
            "SELECT number, xact FROM changes ORDER BY xact DESC, number DESC LIMIT 1"
        }
        // Dialect: what a transaction under way has written comes later.
        Dialect::Postgres => {
            "SELECT number, xact FROM changes \
             WHERE xact < pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT \
             ORDER BY xact DESC, number DESC LIMIT 1"
        }
    };
    let row = conn.row("changes", sql, vec![]).await?;
    Ok(row.map(take_place).transpose()?.unwrap_or_default())
}

/// The place before the oldest change that is kept. Who followed to an earlier one has missed some.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn oldest(conn: &mut Conn) -> Result<Place> {
    let sql = "SELECT number, xact FROM changes ORDER BY xact, number LIMIT 1";
    let row = conn.row("changes", sql, vec![]).await?;
    let place = row.map(take_place).transpose()?;
    Ok(place.map_or_else(Place::default, |place| Place { number: place.number - 1, ..place }))
}

/// The changes after a place up to another, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn after(
    conn: &mut Conn,
    filter: &ChangeFilter,
    (after, up_to): (Place, Place),
    limit: u32,
) -> Result<Vec<Change>> {
    let mut sql = select!("WHERE (c.xact, c.number) > ($1, $2) AND (c.xact, c.number) <= ($3, $4)")
        .to_owned();
    let mut values = args![after.transaction, after.number, up_to.transaction, up_to.number];
    if let Some(plan) = filter.plan {
        values.push(plan.bind());
        sql.push_str(&format!(" AND c.plan = ${}", values.len()));
    }
    if let Some(key) = &filter.artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        values.push(id.bind());
        sql.push_str(&format!(" AND c.artifact = ${}", values.len()));
    }
    values.push(limit.bind());
    sql.push_str(&format!(" ORDER BY c.xact, c.number LIMIT ${}", values.len()));
    conn.rows("changes", sql, values).await?.into_iter().map(decode).collect()
}

/// Forgets all but about the newest `keep` changes; says how many were forgotten.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn forget(tx: &mut Tx, keep: u32) -> Result<u64> {
    let sql = "DELETE FROM changes WHERE number <= (SELECT max(number) FROM changes) - $1";
    tx.execute(sql, args![keep]).await
}

/// Mends the order after a dump was restored into another PostgreSQL, whose transactions count from the beginning.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn mend(tx: &mut Tx) -> Result<()> {
    // Dialect: SQLite's transactions have no numbers.
    if tx.dialect() == Dialect::Postgres {
        let sql = "UPDATE changes SET xact = 0 \
                   WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())::TEXT::BIGINT";
        tx.execute(sql, vec![]).await?;
    }
    Ok(())
}

fn take_place(mut row: Row) -> Result<Place> {
    let number = row.take()?;
    Ok(Place { number, transaction: row.take()? })
}

fn decode(mut row: Row) -> Result<Change> {
    let number = row.take()?;
    let place = Place { number, transaction: row.take()? };
    let (at, plan) = (row.take()?, row.take()?);
    let artifact = row.artifact_optional()?;
    let (state, what): (String, String) = (row.take()?, row.take()?);
    let subject: i64 = row.take()?;
    let (sentence, nvr): (Option<String>, Option<String>) = (row.take()?, row.take()?);
    let changed = match what.as_str() {
        "decision" => Changed::Decision { number: subject, sentence: sentence.unwrap_or_default() },
        "plan" => Changed::Plan,
        "step" => Changed::Step { index: subject },
        "build" => Changed::Build { number: subject, nvr: nvr.unwrap_or_default() },
        _ => Changed::TestRun { number: subject },
    };
    Ok(Change { place, at, changed, plan, artifact, state })
}
