//! Artifacts and the short internal ids by which the other tables name them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use model::artifact::{ArtifactKey, ArtifactKind, BranchName};

use crate::connection::{Conn, Dialect, Sql, Tx, padded};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{Bind as _, Value, args, json_rows, values_list};

/// An artifact and whether its branch still exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its id inside the database.
    pub id: i64,
    /// Its identity.
    pub key: ArtifactKey,
    /// Its branch existed and is gone. One that was never seen in dist-git is not retired.
    pub retired: bool,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.kind, a.name, a.branch, ",
            "CASE WHEN t.artifact IS NOT NULL AND t.commit_id IS NULL ",
            "THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END ",
            "FROM artifacts a LEFT JOIN tips t ON t.artifact = a.id ",
            $rest
        )
    };
}

/// The internal id of an artifact, given now if it has none.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn ensure(tx: &mut Tx, key: &ArtifactKey) -> Result<i64> {
    if let Some(id) = find(tx, key).await? {
        return Ok(id);
    }
    let sql = "INSERT INTO artifacts (kind, name, branch) VALUES ($1, $2, $3) \
               ON CONFLICT DO NOTHING";
    tx.execute(sql, args![key.kind.as_str(), &key.name, &key.branch]).await?;
    find(tx, key).await?.ok_or_else(|| Error::Conflict(format!("{key} was there and is not")))
}

/// The internal ids of many artifacts, given now to those that have none.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn ensure_all<'a>(
    tx: &mut Tx,
    keys: impl IntoIterator<Item = &'a ArtifactKey>,
) -> Result<BTreeMap<ArtifactKey, i64>> {
    // Sorted, so that two transactions on PostgreSQL that give ids to the same artifacts cannot wait for each other.
    let keys: BTreeSet<&ArtifactKey> = keys.into_iter().collect();
    let mut ids = find_all(tx, &keys).await?;
    let missing: BTreeSet<&ArtifactKey> =
        keys.into_iter().filter(|key| !ids.contains_key(*key)).collect();
    if !missing.is_empty() {
        let values = texts(&missing);
        let sql = "INSERT INTO artifacts (kind, name, branch) VALUES {} ON CONFLICT DO NOTHING";
        tx.insert_rows(sql, 3, values).await?;
        ids.extend(find_all(tx, &missing).await?);
    }
    Ok(ids)
}

/// The internal ids of those of many artifacts that have one.
pub(crate) async fn find_all(
    conn: &mut Conn,
    keys: &BTreeSet<&ArtifactKey>,
) -> Result<BTreeMap<ArtifactKey, i64>> {
    let (mut ids, unknown) = conn.ids.of(keys);
    let mut found = Vec::with_capacity(unknown.len());
    for mut row in find_rows(conn, &texts(&unknown)).await? {
        let id = row.take()?;
        found.push((row.artifact()?, id));
    }
    if !conn.is_in_transaction() {
        conn.ids.add(&found);
    }
    ids.extend(found);
    Ok(ids)
}

/// The internal ids that were read before: an artifact keeps its own for ever. What was given by a transaction under way
/// is not among them, since it may be undone.
#[derive(Debug, Default)]
pub(crate) struct KnownIds(RwLock<HashMap<ArtifactKey, i64>>);

impl KnownIds {
    /// How many there are at most, about 20 MB: then it starts again.
    const MOST: usize = 200_000;

    /// The known ids, and the keys of the others.
    fn of<'a>(
        &self,
        keys: &BTreeSet<&'a ArtifactKey>,
    ) -> (BTreeMap<ArtifactKey, i64>, BTreeSet<&'a ArtifactKey>) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (mut ids, mut unknown) = (BTreeMap::new(), BTreeSet::new());
        for &key in keys {
            if let Some(id) = known.get(key) {
                ids.insert(key.clone(), *id);
            } else {
                unknown.insert(key);
            }
        }
        (ids, unknown)
    }

    fn add(&self, found: &[(ArtifactKey, i64)]) {
        if found.is_empty() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + found.len() > Self::MOST {
            known.clear();
        }
        known.extend(found.iter().cloned());
    }
}

/// Dialect: joined, so that the index is used; asked for rows IN a list, SQLite looks at every artifact there is.
const FIND_ON_SQLITE: &str = "SELECT a.id, a.kind, a.name, a.branch \
     FROM json_each($1) w JOIN artifacts a \
     ON a.branch = w.value->>2 AND a.kind = w.value->>0 AND a.name = w.value->>1";

async fn find_rows(conn: &mut Conn, texts: &[Value]) -> Result<Vec<Row>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    if conn.dialect() == Dialect::Sqlite {
        return conn.rows("artifacts", FIND_ON_SQLITE, args![json_rows(texts, 3)]).await;
    }
    let mut found = Vec::new();
    for chunk in texts.chunks(512 * 3) {
        let values = padded(chunk, 3);
        let sql = Sql::kept(format!(
            "SELECT id, kind, name, branch FROM artifacts \
             WHERE (kind, name, branch) IN (VALUES {})",
            values_list(values.len() / 3, 3)
        ));
        found.extend(conn.rows("artifacts", sql, values).await?);
    }
    Ok(found)
}

fn texts(keys: &BTreeSet<&ArtifactKey>) -> Vec<Value> {
    keys.iter().flat_map(|key| args![key.kind.as_str(), &key.name, &key.branch]).collect()
}

/// The internal id of an artifact, if it has one.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn find(conn: &mut Conn, key: &ArtifactKey) -> Result<Option<i64>> {
    let sql = "SELECT id FROM artifacts WHERE branch = $1 AND kind = $2 AND name = $3";
    let values = args![&key.branch, key.kind.as_str(), &key.name];
    conn.row("artifacts", sql, values).await?.map(|mut row| row.take()).transpose()
}

/// An artifact.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, key: &ArtifactKey) -> Result<Option<Artifact>> {
    let sql = select!("WHERE a.branch = $1 AND a.kind = $2 AND a.name = $3");
    let values = args![&key.branch, key.kind.as_str(), &key.name];
    conn.row("artifacts", sql, values).await?.map(decode).transpose()
}

/// The artifacts of a branch, or of all, sorted by kind and name.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, branch: Option<&BranchName>) -> Result<Vec<Artifact>> {
    let rows = match branch {
        Some(branch) => {
            let sql = select!("WHERE a.branch = $1 ORDER BY a.kind, a.name");
            conn.rows("artifacts", sql, args![branch]).await?
        }
        None => {
            let sql = select!("ORDER BY a.kind, a.name, a.branch");
            conn.rows("artifacts", sql, vec![]).await?
        }
    };
    rows.into_iter().map(decode).collect()
}

/// Which artifacts are searched for; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct ArtifactFilter {
    /// Those of exactly this name.
    pub name: Option<String>,
    /// Those whose name contains this text, whatever its case.
    pub containing: Option<String>,
    /// Those of this kind.
    pub kind: Option<ArtifactKind>,
    /// Those of this branch.
    pub branch: Option<BranchName>,
}

/// The artifacts of a search after one of them, sorted by name, kind and branch.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn matching(
    conn: &mut Conn,
    wanted: &ArtifactFilter,
    after: Option<&ArtifactKey>,
    limit: u32,
) -> Result<Vec<Artifact>> {
    let mut sql = select!("WHERE ").to_owned();
    let mut values = Vec::new();
    match after {
        Some(key) => {
            values.extend(args![&key.name, key.kind.as_str(), &key.branch]);
            sql.push_str("(a.name, a.kind, a.branch) > ($1, $2, $3)");
        }
        None => sql.push_str("a.id > 0"),
    }
    let mut and = |condition: &str, value: Value| {
        values.push(value);
        sql.push_str(&format!(" AND {condition}").replace('?', &format!("${}", values.len())));
    };
    if let Some(name) = &wanted.name {
        and("a.name = ?", name.bind());
    }
    if let Some(text) = &wanted.containing {
        and("lower(a.name) LIKE ? ESCAPE '!'", format!("%{}%", like(text)).bind());
    }
    if let Some(kind) = wanted.kind {
        and("a.kind = ?", kind.as_str().bind());
    }
    if let Some(branch) = &wanted.branch {
        and("a.branch = ?", branch.bind());
    }
    values.push(limit.bind());
    sql.push_str(&format!(" ORDER BY a.name, a.kind, a.branch LIMIT ${}", values.len()));
    conn.rows("artifacts", sql, values).await?.into_iter().map(decode).collect()
}

/// A text as a pattern that matches it alone.
fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern
}

/// A part of the list of artifacts: those after `after`, sorted by branch, kind and name.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn page(
    conn: &mut Conn,
    branch: Option<&BranchName>,
    after: Option<&ArtifactKey>,
    limit: u32,
) -> Result<Vec<Artifact>> {
    let mut values = match after {
        Some(key) => args![&key.branch, key.kind.as_str(), &key.name],
        None => args!["", "", ""],
    };
    values.extend(args![limit]);
    // Rows compare column by column, as the index is sorted.
    let rows = match branch {
        Some(branch) => {
            let sql = select!(
                "WHERE (a.branch, a.kind, a.name) > ($1, $2, $3) AND a.branch = $5 \
                 ORDER BY a.branch, a.kind, a.name LIMIT $4"
            );
            values.extend(args![branch]);
            conn.rows("artifacts", sql, values).await?
        }
        None => {
            let sql = select!(
                "WHERE (a.branch, a.kind, a.name) > ($1, $2, $3) \
                 ORDER BY a.branch, a.kind, a.name LIMIT $4"
            );
            conn.rows("artifacts", sql, values).await?
        }
    };
    rows.into_iter().map(decode).collect()
}

/// The artifacts whose names hold `text`, in capitals or not: the shortest names first, which are the nearest.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn search(conn: &mut Conn, text: &str, limit: u32) -> Result<Vec<Artifact>> {
    let pattern = format!("%{}%", like(text));
    let sql = select!(
        "WHERE lower(a.name) LIKE $1 ESCAPE '!' \
         ORDER BY length(a.name), a.name, a.branch, a.kind LIMIT $2"
    );
    conn.rows("artifacts", sql, args![pattern, limit]).await?.into_iter().map(decode).collect()
}

/// The branches that artifacts are on, sorted.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn branches(conn: &mut Conn) -> Result<Vec<BranchName>> {
    // From one branch to the next by the index, which is quicker than looking at every artifact.
    let sql = "WITH RECURSIVE found (branch) AS (SELECT min(branch) FROM artifacts UNION ALL \
               SELECT (SELECT min(a.branch) FROM artifacts a WHERE a.branch > f.branch) \
               FROM found f WHERE f.branch IS NOT NULL) \
               SELECT branch FROM found WHERE branch IS NOT NULL";
    conn.rows("artifacts", sql, vec![]).await?.into_iter().map(|mut row| row.parse()).collect()
}

fn decode(mut row: Row) -> Result<Artifact> {
    Ok(Artifact { id: row.take()?, key: row.artifact()?, retired: row.take()? })
}

/// Keeps other transactions from doing the same to this artifact until this one ends.
pub(crate) async fn lock(tx: &mut Tx, artifact: i64) -> Result<()> {
    // Dialect: on SQLite the transaction itself keeps every other writer out.
    if tx.dialect() == Dialect::Postgres {
        let sql = "SELECT id FROM artifacts WHERE id = $1 FOR NO KEY UPDATE";
        tx.row("artifacts", sql, args![artifact]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn artifacts_are_found_by_their_index() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store").display());
        let store = Store::open(&url).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {FIND_ON_SQLITE}");
        let rows = conn.rows("artifacts", sql, args!["[]"]).await.unwrap();
        let detail = |mut row: Row| {
            row.next = 3;
            row.take::<String>().unwrap()
        };
        let plan: Vec<String> = rows.into_iter().map(detail).collect();
        assert!(plan.iter().any(|line| line.starts_with("SEARCH a USING")), "{plan:#?}");
        assert!(!plan.iter().any(|line| line.starts_with("SCAN a")), "{plan:#?}");
    }
}
