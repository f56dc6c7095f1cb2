//! Removals: what is not kept on the disk any more, and since when builds' outputs are used by nobody.
//!
//! The intent is recorded before anything is removed. From then on the outputs of a build count as gone: whoever asks
//! for the same build gets a new one (`builds::reserve`).

use std::collections::{BTreeMap, BTreeSet};

use model::clock::Timestamp;
use model::id::BuildId;
use model::removal::{Doomed, Removal, Subject, SubjectKind};

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args, json};
use crate::{artifacts, builds, steps};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.number, r.kind, r.subject, r.reason, r.bytes, r.decided, r.removed ",
            "FROM removals r ",
            $rest
        )
    };
}

/// How much of one kind was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// How many bytes that freed.
    pub bytes: u64,
}

/// What happens to retention as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A person asked for it.
    Asked,
    /// It was gone through.
    Ran,
}

impl Moment {
    fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Ran => "ran",
        }
    }
}

/// Records the intent to remove things that take so many bytes each. Left out are those whose removal is intended
/// already, and outputs that an unsettled step took up since this was decided.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn intend(tx: &mut Tx, doomed: &[(Doomed, u64)], at: Timestamp) -> Result<()> {
    let pending: BTreeSet<Subject> =
        pending(tx).await?.into_iter().map(|removal| removal.doomed.subject).collect();
    let taken_up = taken_up(tx, doomed).await?;
    let mut values = Vec::with_capacity(doomed.len() * 5);
    for (Doomed { subject, reason }, bytes) in doomed {
        if pending.contains(subject) || taken_up.contains(subject) {
            continue;
        }
        let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
        values.extend(args![subject.kind.as_str(), &subject.name, json(reason)?, bytes, at]);
    }
    let sql = "INSERT INTO removals (kind, subject, reason, bytes, decided) VALUES {}";
    tx.insert_rows(sql, 5, values).await
}

/// The outputs among `doomed` that an unsettled step has. Nobody can take up others until the transaction ends: to do
/// so, `builds::reserve` takes the same locks.
async fn taken_up(tx: &mut Tx, doomed: &[(Doomed, u64)]) -> Result<BTreeSet<Subject>> {
    let outputs = doomed.iter().filter(|(doomed, _)| doomed.subject.kind == SubjectKind::Outputs);
    let ids: Vec<BuildId> =
        outputs.filter_map(|(doomed, _)| doomed.subject.name.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = builds::get_many(tx, &ids).await?;
    let artifacts: BTreeSet<_> = found.iter().map(|build| &build.artifact).collect();
    let locks: BTreeSet<i64> =
        artifacts::find_all(tx, &artifacts.into_iter().collect()).await?.into_values().collect();
    for artifact in locks {
        artifacts::lock(tx, artifact).await?;
    }
    let used = steps::builds_of_unsettled(tx).await?;
    let subject = |id: BuildId| Subject::new(SubjectKind::Outputs, id);
    Ok(ids.into_iter().filter(|id| used.contains(id)).map(subject).collect())
}

/// The removals that are intended and not done, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn pending(conn: &mut Conn) -> Result<Vec<Removal>> {
    let sql = select!("WHERE r.removed IS NULL ORDER BY r.number");
    conn.rows("removals", sql, vec![]).await?.into_iter().map(decode).collect()
}

/// Records that something is removed.
///
/// # Errors
/// [`Error::Conflict`] when that was recorded before, or was never intended.
pub async fn finish(tx: &mut Tx, number: i64, at: Timestamp) -> Result<()> {
    let sql = "UPDATE removals SET removed = $2 WHERE number = $1 AND removed IS NULL";
    match tx.execute(sql, args![number, at]).await? {
        0 => Err(Error::Conflict(format!("removal {number} does not wait to be done"))),
        _ => Ok(()),
    }
}

/// Forgets the intent to remove something that is needed again and still there.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn abandon(tx: &mut Tx, number: i64) -> Result<()> {
    let sql = "DELETE FROM removals WHERE number = $1 AND removed IS NULL";
    tx.execute(sql, args![number]).await?;
    Ok(())
}

/// The newest removals, of one kind or of all.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, kind: Option<SubjectKind>, page: Page) -> Result<Vec<Removal>> {
    let mut filter = Filter::new("r.number", page);
    filter.equals("r.kind", kind.map(SubjectKind::as_str));
    let (sql, values) = filter.query(select!(""), "r.number", page);
    conn.rows("removals", sql, values).await?.into_iter().map(decode).collect()
}

/// The last removal of a thing; none if it was never removed.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn last(conn: &mut Conn, subject: &Subject) -> Result<Option<Removal>> {
    let sql = select!("WHERE r.kind = $1 AND r.subject = $2 ORDER BY r.number DESC LIMIT 1");
    let values = args![subject.kind.as_str(), &subject.name];
    conn.row("removals", sql, values).await?.map(decode).transpose()
}

/// How much was removed, by kind.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn totals(conn: &mut Conn) -> Result<BTreeMap<SubjectKind, Total>> {
    // PostgreSQL sums up to a number without bounds.
    let sql = "SELECT kind, count(*), CAST(sum(bytes) AS BIGINT) FROM removals \
               WHERE removed IS NOT NULL GROUP BY kind";
    let rows = conn.rows("removals", sql, vec![]).await?;
    rows.into_iter()
        .map(|mut row| Ok((row.word()?, Total { count: row.take()?, bytes: row.take()? })))
        .collect()
}

/// The builds whose outputs nobody uses, and since when.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn unused(conn: &mut Conn) -> Result<BTreeMap<BuildId, Timestamp>> {
    let rows = conn.rows("unused_outputs", "SELECT build, since FROM unused_outputs", vec![]);
    rows.await?.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// Notes builds whose outputs nobody uses from now on; those noted before stay as they are.
///
/// # Errors
/// [`Error::Refused`] when there is no such build.
pub async fn note_unused(tx: &mut Tx, builds: &[BuildId], at: Timestamp) -> Result<()> {
    let values: Vec<_> = builds.iter().flat_map(|build| args![*build, at]).collect();
    let sql = "INSERT INTO unused_outputs (build, since) VALUES {} ON CONFLICT DO NOTHING";
    tx.insert_rows(sql, 2, values).await
}

/// Forgets that nobody used the outputs of these builds.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn note_used(tx: &mut Tx, builds: &[BuildId]) -> Result<()> {
    for build in builds {
        let values = vec![build.bind()];
        tx.execute("DELETE FROM unused_outputs WHERE build = $1", values).await?;
    }
    Ok(())
}

/// When retention was last asked for, or gone through.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn when(conn: &mut Conn, moment: Moment) -> Result<Option<Timestamp>> {
    let sql = "SELECT name, at FROM retention_times WHERE name = $1";
    let row = conn.row("retention_times", sql, args![moment.as_str()]).await?;
    row.map(|mut row| {
        let _name: String = row.take()?;
        row.take()
    })
    .transpose()
}

/// Records that retention was asked for, or gone through.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn note(tx: &mut Tx, moment: Moment, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO retention_times (name, at) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET at = excluded.at";
    tx.execute(sql, args![moment.as_str(), at]).await?;
    Ok(())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("removals", select!(""), "r.number", decode).await
}

fn decode(mut row: Row) -> Result<Removal> {
    Ok(Removal {
        number: row.take()?,
        doomed: Doomed {
            subject: Subject { kind: row.word()?, name: row.take()? },
            reason: row.json()?,
        },
        bytes: row.take()?,
        decided: row.take()?,
        removed: row.take()?,
    })
}
