//! Waivers and sign-offs. They are never deleted: each has its end.

use model::artifact::ArtifactKey;
use model::gate::{Waiver, WaiverKind};

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args, word};

/// A waiver with its public number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedWaiver {
    /// Its number, in the order of recording.
    pub number: i64,
    /// The waiver.
    pub waiver: Waiver,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.number, w.id, a.kind, a.name, a.branch, w.test_case, w.nvr, w.kind, ",
            "w.author, w.reason, w.at, w.ends FROM waivers w ",
            "JOIN artifacts a ON a.id = w.artifact ",
            $rest
        )
    };
}

/// Records a waiver and gives its public number.
///
/// # Errors
/// [`crate::Error::Conflict`] when the id is taken.
pub async fn insert(tx: &mut Tx, waiver: &Waiver) -> Result<i64> {
    let artifact = artifacts::ensure(tx, &waiver.artifact).await?;
    let sql = "INSERT INTO waivers (id, artifact, test_case, nvr, kind, author, reason, at, ends) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number";
    let mut values = args![waiver.id, artifact, &waiver.case, waiver.nvr.as_deref()];
    values.extend(args![word(&waiver.kind)?, &waiver.author, &waiver.reason]);
    values.extend(args![waiver.at, waiver.end]);
    tx.number("waivers", sql, values).await
}

/// Every waiver for some artifacts, in force or not, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn for_artifacts(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<Waiver>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let ids = ids.values().map(|id| id.bind()).collect();
    let rows = conn.rows_in("waivers", select!("WHERE w.artifact IN ({})"), ids).await?;
    let mut found: Vec<NumberedWaiver> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    found.sort_by_key(|waiver| waiver.number);
    Ok(found.into_iter().map(|numbered| numbered.waiver).collect())
}

/// A waiver by its public number.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<NumberedWaiver>> {
    let sql = select!("WHERE w.number = $1");
    conn.row("waivers", sql, args![number]).await?.map(decode).transpose()
}

/// The newest waivers, of one artifact or of all, of one kind or of both.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    artifact: Option<&ArtifactKey>,
    kind: Option<WaiverKind>,
    page: Page,
) -> Result<Vec<NumberedWaiver>> {
    let mut filter = Filter::new("w.number", page);
    if let Some(key) = artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("w.artifact", Some(id));
    }
    filter.equals("w.kind", kind.as_ref().map(word).transpose()?);
    let (sql, values) = filter.query(select!(""), "w.number", page);
    conn.rows("waivers", sql, values).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("waivers", select!(""), "w.number", decode).await
}

fn decode(mut row: Row) -> Result<NumberedWaiver> {
    let number = row.take()?;
    let waiver = Waiver {
        id: row.take()?,
        artifact: row.artifact()?,
        case: row.take()?,
        nvr: row.take()?,
        kind: row.word()?,
        author: row.take()?,
        reason: row.take()?,
        at: row.take()?,
        end: row.take()?,
    };
    Ok(NumberedWaiver { number, waiver })
}
