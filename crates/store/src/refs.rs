//! Refs: where each artifact's branch points, and where it pointed before.

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::clock::Timestamp;
use model::id::EventId;

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{Bind as _, args};

/// Where a branch points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Whose branch.
    pub artifact: ArtifactKey,
    /// The commit; none when the branch is gone.
    pub commit: Option<CommitId>,
    /// How often it moved.
    pub moves: i64,
    /// Since when it points there.
    pub at: Timestamp,
}

/// A branch came to point elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Whose branch.
    pub artifact: ArtifactKey,
    /// Where it points now; none when it was deleted.
    pub commit: Option<CommitId>,
    /// Where it pointed before; none when it did not exist.
    pub previous: Option<CommitId>,
    /// The old commit is not an ancestor of the new one.
    pub forced: bool,
    /// When it was seen.
    pub at: Timestamp,
    /// The event that records it.
    pub event: Option<EventId>,
}

/// A move with its place in the artifact's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedMove {
    /// Its place, from 1.
    pub number: i64,
    /// The move.
    pub moved: Move,
}

macro_rules! select_tips {
    ($rest:literal) => {
        concat!(
            "SELECT t.artifact, a.kind, a.name, a.branch, t.commit_id, t.moves, t.at ",
            "FROM tips t JOIN artifacts a ON a.id = t.artifact ",
            $rest
        )
    };
}

macro_rules! select_moves {
    ($rest:literal) => {
        concat!(
            "SELECT m.number, a.kind, a.name, a.branch, m.commit_id, m.previous, m.forced, m.at, ",
            "m.event FROM ref_moves m JOIN artifacts a ON a.id = m.artifact ",
            $rest
        )
    };
}

/// Where an artifact's branch points; none if it was never seen.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn tip(conn: &mut Conn, artifact: &ArtifactKey) -> Result<Option<Tip>> {
    let sql = select_tips!("WHERE a.branch = $1 AND a.kind = $2 AND a.name = $3");
    let values = args![&artifact.branch, artifact.kind.as_str(), &artifact.name];
    conn.row("tips", sql, values).await?.map(decode_tip).transpose()
}

/// Where the branches point, deleted ones included, sorted by artifact: those of one name, or all.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn tips(conn: &mut Conn, branch: Option<&BranchName>) -> Result<Vec<Tip>> {
    let rows = match branch {
        Some(branch) => {
            let sql = select_tips!("WHERE a.branch = $1 ORDER BY a.kind, a.name");
            conn.rows("tips", sql, args![branch]).await?
        }
        None => {
            let sql = select_tips!("ORDER BY a.kind, a.name, a.branch");
            conn.rows("tips", sql, vec![]).await?
        }
    };
    rows.into_iter().map(decode_tip).collect()
}

/// Where the branches of these artifacts point, deleted ones included; nothing for one that was never seen.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn tips_of(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<Tip>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let ids = ids.values().map(|id| id.bind()).collect();
    let rows = conn.rows_in("tips", select_tips!("WHERE a.id IN ({})"), ids).await?;
    rows.into_iter().map(decode_tip).collect()
}

/// How often branches moved in all: as long as it is the same, so are the tips.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn all_moves(conn: &mut Conn) -> Result<i64> {
    let sql = "SELECT CAST(coalesce(sum(moves), 0) AS BIGINT) FROM tips";
    conn.number("tips", sql, vec![]).await
}

/// How often an artifact's branch moved; 0 if it was never seen.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn moves(conn: &mut Conn, artifact: &ArtifactKey) -> Result<i64> {
    Ok(tip(conn, artifact).await?.map_or(0, |tip| tip.moves))
}

/// Records a move and gives its place in the artifact's history.
///
/// # Errors
/// [`Error::Conflict`] when the branch does not point at `previous`: another move came first.
pub async fn move_tip(tx: &mut Tx, moved: &Move) -> Result<i64> {
    let artifact = artifacts::ensure(tx, &moved.artifact).await?;
    artifacts::lock(tx, artifact).await?;
    let current = tip(tx, &moved.artifact).await?;
    let (points_at, moves) = match current {
        Some(tip) => (tip.commit, tip.moves),
        None => (None, 0),
    };
    if points_at != moved.previous {
        let text = |commit: &Option<CommitId>| {
            commit.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        return Err(Error::Conflict(format!(
            "{} points at {}, not at {}",
            moved.artifact,
            text(&points_at),
            text(&moved.previous)
        )));
    }
    let number = moves + 1;
    let sql = "INSERT INTO tips (artifact, commit_id, moves, at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (artifact) DO UPDATE \
               SET commit_id = excluded.commit_id, moves = excluded.moves, at = excluded.at";
    tx.execute(sql, args![artifact, moved.commit.as_ref(), number, moved.at]).await?;
    let sql = "INSERT INTO ref_moves (artifact, number, commit_id, previous, forced, at, event) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (commit, previous) = (moved.commit.as_ref(), moved.previous.as_ref());
    let values = args![artifact, number, commit, previous, moved.forced, moved.at, moved.event];
    tx.execute(sql, values).await?;
    Ok(number)
}

/// The last moves of an artifact's branch, the newest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn history(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    limit: u32,
) -> Result<Vec<NumberedMove>> {
    let Some(id) = artifacts::find(conn, artifact).await? else { return Ok(Vec::new()) };
    let sql = select_moves!("WHERE m.artifact = $1 ORDER BY m.number DESC LIMIT $2");
    conn.rows("ref_moves", sql, args![id, limit]).await?.into_iter().map(decode_move).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("tips", select_tips!(""), "t.artifact", decode_tip).await?;
    conn.check_rows("ref_moves", select_moves!(""), "m.artifact", decode_move).await
}

fn decode_tip(mut row: Row) -> Result<Tip> {
    let _artifact: i64 = row.take()?;
    Ok(Tip {
        artifact: row.artifact()?,
        commit: row.parse_optional()?,
        moves: row.take()?,
        at: row.take()?,
    })
}

fn decode_move(mut row: Row) -> Result<NumberedMove> {
    let number = row.take()?;
    let moved = Move {
        artifact: row.artifact()?,
        commit: row.parse_optional()?,
        previous: row.parse_optional()?,
        forced: row.take()?,
        at: row.take()?,
        event: row.take()?,
    };
    Ok(NumberedMove { number, moved })
}
