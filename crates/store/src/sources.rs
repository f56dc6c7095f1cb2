//! Sources: what a commit of an artifact says, as it was read in isolation.

use model::artifact::{ArtifactKey, CommitId};
use model::source::Source;

use crate::artifacts;
use crate::connection::{Conn, Dialect, Sql, Tx, padded};
use crate::error::Result;
use crate::row::Row;
use crate::value::{Value, args, json, json_rows, values_list};

/// Keeps what a commit says. Reading it again, after a fix of the reader, replaces what was kept.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn put(tx: &mut Tx, source: &Source) -> Result<()> {
    let artifact = artifacts::ensure(tx, &source.artifact).await?;
    let sql = "INSERT INTO sources (artifact, commit_id, document) VALUES ($1, $2, $3) \
               ON CONFLICT (artifact, commit_id) DO UPDATE SET document = excluded.document";
    tx.execute(sql, args![artifact, &source.commit, json(source)?]).await?;
    Ok(())
}

/// What a commit says, if it was read.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn get(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    commit: &CommitId,
) -> Result<Option<Source>> {
    let sql = "SELECT s.commit_id, s.document FROM sources s \
               JOIN artifacts a ON a.id = s.artifact \
               WHERE a.branch = $1 AND a.kind = $2 AND a.name = $3 AND s.commit_id = $4";
    let values = args![&artifact.branch, artifact.kind.as_str(), &artifact.name, commit];
    conn.row("sources", sql, values).await?.map(decode).transpose()
}

/// What these commits say, of those that were read, in no order.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn get_many(conn: &mut Conn, wanted: &[(ArtifactKey, CommitId)]) -> Result<Vec<Source>> {
    let values: Vec<Value> = wanted
        .iter()
        .flat_map(|(artifact, commit)| {
            args![&artifact.branch, artifact.kind.as_str(), &artifact.name, commit]
        })
        .collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    // Dialect: one text and one value for lists of every length.
    if conn.dialect() == Dialect::Sqlite {
        let sql = "SELECT s.commit_id, s.document FROM \
                   (SELECT DISTINCT value->>0 AS branch, value->>1 AS kind, value->>2 AS name, \
                   value->>3 AS commit_id FROM json_each($1)) w JOIN artifacts a \
                   ON a.branch = w.branch AND a.kind = w.kind AND a.name = w.name \
                   JOIN sources s ON s.artifact = a.id AND s.commit_id = w.commit_id";
        let rows = conn.rows("sources", sql, args![json_rows(&values, 4)]).await?;
        return rows.into_iter().map(decode).collect();
    }
    let mut found = Vec::new();
    for chunk in values.chunks(512 * 4) {
        let values = padded(chunk, 4);
        let sql = Sql::kept(format!(
            "WITH wanted (branch, kind, name, commit_id) AS (VALUES {}) \
             SELECT s.commit_id, s.document FROM (SELECT DISTINCT * FROM wanted) w JOIN artifacts a \
             ON a.branch = w.branch AND a.kind = w.kind AND a.name = w.name \
             JOIN sources s ON s.artifact = a.id AND s.commit_id = w.commit_id",
            values_list(values.len() / 4, 4)
        ));
        for row in conn.rows("sources", sql, values).await? {
            found.push(decode(row)?);
        }
    }
    Ok(found)
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    let select = "SELECT s.commit_id, s.document FROM sources s";
    conn.check_rows("sources", select, "s.artifact", decode).await
}

fn decode(mut row: Row) -> Result<Source> {
    let _commit: String = row.take()?;
    row.json()
}
