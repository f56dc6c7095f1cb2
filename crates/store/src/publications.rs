//! Publications: the generations of each branch's repository, and what the current one holds.

use std::collections::BTreeMap;

use model::artifact::{ArtifactKey, BranchName};
use model::clock::Timestamp;
use model::digest::Digest;
use model::id::BuildId;
use model::publication::{Generation, PublishedBuild};

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind as _, Filter, Value, args};
use crate::{artifacts, sets};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT g.number, g.branch, g.plan, g.builds, g.at, g.switched FROM generations g ",
            $rest
        )
    };
}

/// Records the intent to publish a generation.
///
/// # Errors
/// [`Error::Conflict`] when the branch has a generation of this number; [`Error::Refused`] when it says that it is
/// switched to already.
pub async fn begin_generation(tx: &mut Tx, generation: &Generation) -> Result<()> {
    if generation.switched.is_some() {
        return Err(Error::Refused("a generation begins before it is switched to".to_owned()));
    }
    let builds = sets::put_json(tx, &generation.builds).await?;
    let sql = "INSERT INTO generations (branch, number, plan, builds, at, switched) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let switched = generation.switched;
    let mut values = args![&generation.branch, generation.number, generation.plan];
    values.extend(args![builds, generation.at, switched]);
    tx.execute(sql, values).await?;
    Ok(())
}

/// Records that the repository was switched to a generation: its builds are now the published ones.
///
/// # Errors
/// [`Error::Conflict`] when it was recorded before, a later one was, or there is no such generation.
pub async fn mark_switched(
    tx: &mut Tx,
    branch: &BranchName,
    number: i64,
    at: Timestamp,
) -> Result<()> {
    let sql = "UPDATE generations SET switched = $3 \
               WHERE branch = $1 AND number = $2 AND switched IS NULL AND NOT EXISTS \
               (SELECT 1 FROM generations l WHERE l.branch = $1 AND l.number > $2 \
               AND l.switched IS NOT NULL)";
    if tx.execute(sql, args![branch, number, at]).await? == 0 {
        return Err(Error::Conflict(format!(
            "generation {number} of {branch} does not wait to be switched to"
        )));
    }
    let sql = select!("WHERE g.branch = $1 AND g.number = $2");
    let rows = tx.rows("generations", sql, args![branch, number]).await?;
    for generation in whole(tx, rows).await? {
        replace_published(tx, &generation).await?;
    }
    Ok(())
}

/// Brings the table of published builds up to date; only what differs is written.
async fn replace_published(tx: &mut Tx, generation: &Generation) -> Result<()> {
    let old: BTreeMap<ArtifactKey, BuildId> = (current_builds(tx, &generation.branch).await?)
        .into_iter()
        .map(|published| (published.artifact, published.build))
        .collect();
    let new: BTreeMap<&ArtifactKey, BuildId> =
        generation.builds.iter().map(|published| (&published.artifact, published.build)).collect();
    let gone = old.keys().filter(|artifact| !new.contains_key(artifact));
    let gone = artifacts::find_all(tx, &gone.collect()).await?;
    for id in gone.values() {
        tx.execute("DELETE FROM published WHERE artifact = $1", args![*id]).await?;
    }
    let changed: BTreeMap<&ArtifactKey, BuildId> =
        new.into_iter().filter(|(artifact, build)| old.get(artifact) != Some(build)).collect();
    let ids = artifacts::ensure_all(tx, changed.keys().copied()).await?;
    let row = |(artifact, id): (&ArtifactKey, &i64)| -> Vec<Value> {
        let build = changed.get(artifact).copied();
        args![*id, &generation.branch, build, generation.number]
    };
    let values: Vec<Value> = ids.iter().flat_map(row).collect();
    let sql = "INSERT INTO published (artifact, branch, build, generation) VALUES {} \
               ON CONFLICT (artifact) DO UPDATE SET branch = excluded.branch, \
               build = excluded.build, generation = excluded.generation";
    tx.insert_rows(sql, 4, values).await
}

/// The generation a branch's repository was switched to last.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn current(conn: &mut Conn, branch: &BranchName) -> Result<Option<Generation>> {
    let sql =
        select!("WHERE g.branch = $1 AND g.switched IS NOT NULL ORDER BY g.number DESC LIMIT 1");
    let rows = conn.rows("generations", sql, args![branch]).await?;
    Ok(whole(conn, rows).await?.into_iter().next())
}

/// The generations that were begun after the current one and not yet switched to, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn pending(conn: &mut Conn, branch: &BranchName) -> Result<Vec<Generation>> {
    let sql = select!(
        "WHERE g.branch = $1 AND g.switched IS NULL AND NOT EXISTS \
         (SELECT 1 FROM generations l WHERE l.branch = $1 AND l.number > g.number \
         AND l.switched IS NOT NULL) ORDER BY g.number"
    );
    let rows = conn.rows("generations", sql, args![branch]).await?;
    whole(conn, rows).await
}

/// The newest generations of a branch.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, branch: &BranchName, page: Page) -> Result<Vec<Generation>> {
    let mut filter = Filter::new("g.number", page);
    filter.equals("g.branch", Some(branch));
    let (sql, values) = filter.query(select!(""), "g.number", page);
    let rows = conn.rows("generations", sql, values).await?;
    whole(conn, rows).await
}

/// A generation without the list of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationHead {
    /// Of which branch's repository.
    pub branch: BranchName,
    /// Its number.
    pub number: i64,
    /// The public number of the plan that brought it.
    pub plan: Option<i64>,
    /// When the repository was switched to it.
    pub switched: Timestamp,
}

/// The generations that repositories were switched to last, of all branches.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn latest(conn: &mut Conn, limit: u32) -> Result<Vec<GenerationHead>> {
    let sql = "SELECT g.number, g.branch, p.number, g.switched FROM generations g \
               LEFT JOIN plans p ON p.id = g.plan WHERE g.switched IS NOT NULL \
               ORDER BY g.switched DESC LIMIT $1";
    let rows = conn.rows("generations", sql, args![limit]).await?;
    let head = |mut row: Row| -> Result<GenerationHead> {
        let number = row.take()?;
        let (branch, plan, switched) = (row.parse()?, row.take()?, row.take()?);
        Ok(GenerationHead { branch, number, plan, switched })
    };
    rows.into_iter().map(head).collect()
}

/// The builds in the current generation of a branch, sorted by artifact.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn current_builds(conn: &mut Conn, branch: &BranchName) -> Result<Vec<PublishedBuild>> {
    let sql = "SELECT p.artifact, a.kind, a.name, a.branch, p.build FROM published p \
               JOIN artifacts a ON a.id = p.artifact WHERE p.branch = $1 \
               ORDER BY a.kind, a.name, a.branch";
    let rows = conn.rows("published", sql, args![branch]).await?;
    rows.into_iter().map(decode_published).collect()
}

/// The published build of an artifact.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn current_build(conn: &mut Conn, artifact: &ArtifactKey) -> Result<Option<BuildId>> {
    let sql = "SELECT p.artifact, a.kind, a.name, a.branch, p.build FROM published p \
               JOIN artifacts a ON a.id = p.artifact \
               WHERE a.branch = $1 AND a.kind = $2 AND a.name = $3";
    let values = args![&artifact.branch, artifact.kind.as_str(), &artifact.name];
    let row = conn.row("published", sql, values).await?;
    Ok(row.map(decode_published).transpose()?.map(|published| published.build))
}

/// What is published of an artifact, and the generation that brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The build.
    pub published: PublishedBuild,
    /// The generation.
    pub generation: i64,
}

/// What is published of some artifacts, in no particular order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn standing(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<Standing>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let select = "SELECT p.artifact, a.kind, a.name, a.branch, p.build, p.generation \
                  FROM published p JOIN artifacts a ON a.id = p.artifact WHERE p.artifact IN ({})";
    let rows =
        conn.rows_in("published", select, ids.values().map(|id| id.bind()).collect()).await?;
    let decode = |mut row: Row| {
        let _artifact: i64 = row.take()?;
        let published = PublishedBuild { artifact: row.artifact()?, build: row.take()? };
        Ok(Standing { published, generation: row.take()? })
    };
    rows.into_iter().map(decode).collect()
}

/// When a branch's repository was switched to a generation; none if it was not, or there is none.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn switched(
    conn: &mut Conn,
    branch: &BranchName,
    number: i64,
) -> Result<Option<Timestamp>> {
    let sql = "SELECT number, switched FROM generations WHERE branch = $1 AND number = $2";
    let Some(mut row) = conn.row("generations", sql, args![branch, number]).await? else {
        return Ok(None);
    };
    let _number: i64 = row.take()?;
    row.take()
}

/// The published builds of these artifacts, by their internal ids: each build's public number and NVR.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn named(conn: &mut Conn, artifacts: &[i64]) -> Result<BTreeMap<i64, (i64, String)>> {
    let select = "SELECT p.artifact, b.number, b.nvr FROM published p \
                  JOIN builds b ON b.id = p.build WHERE p.artifact IN ({})";
    let ids = artifacts.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("published", select, ids).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, (row.take()?, row.take()?)))).collect()
}

/// The branches that have a generation, sorted.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn branches(conn: &mut Conn) -> Result<Vec<BranchName>> {
    let sql = "SELECT DISTINCT branch FROM generations ORDER BY branch";
    conn.rows("generations", sql, vec![]).await?.into_iter().map(|mut row| row.parse()).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    let rows = conn.rows("generations", select!("ORDER BY g.branch, g.number"), vec![]).await?;
    for row in rows {
        whole(conn, vec![row]).await?;
    }
    let select = "SELECT p.artifact, a.kind, a.name, a.branch, p.build FROM published p \
                  JOIN artifacts a ON a.id = p.artifact";
    conn.check_rows("published", select, "p.artifact", decode_published).await
}

/// Reads generations with their builds, which are large sets.
async fn whole(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Generation>> {
    let mut generations = Vec::with_capacity(rows.len());
    for mut row in rows {
        let number: i64 = row.take()?;
        let (branch, plan) = (row.parse()?, row.take()?);
        let digest: Digest = row.take()?;
        let builds = sets::get_json(conn, digest).await?;
        let builds = builds.ok_or_else(|| Error::Inconsistent {
            table: "generations",
            column: "builds".to_owned(),
            row: number.to_string(),
            problem: format!("there is no large set {digest}"),
        })?;
        let (at, switched) = (row.take()?, row.take()?);
        generations.push(Generation { branch, number, plan, builds, at, switched });
    }
    Ok(generations)
}

fn decode_published(mut row: Row) -> Result<PublishedBuild> {
    let _artifact: i64 = row.take()?;
    Ok(PublishedBuild { artifact: row.artifact()?, build: row.take()? })
}
