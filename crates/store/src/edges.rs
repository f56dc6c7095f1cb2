//! Edges: what each dependent needs, as its spec says and as its build reported.

use std::collections::HashMap;

use model::artifact::ArtifactKey;
use model::edge::{Edge, EdgeKind, Evidence};

use crate::artifacts;
use crate::connection::{Conn, Dialect, LISTED, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{Bind, Value, args, json};

/// An edge as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEdge {
    /// The edge.
    pub edge: Edge,
    /// Whether a spec says so and no build has reported its own yet.
    pub provisional: bool,
}

/// How many edges are fetched at a time.
const CHUNK: u32 = 50_000;

/// Replaces the edges of a dependent and gives the new version of the graph.
///
/// Provisional edges stand beside those the last build reported and replace only provisional ones: until the next build
/// reports, the dependent has both. What a build reports replaces everything.
///
/// # Errors
/// [`Error::Refused`] when an edge has another dependent.
pub async fn replace_for(
    tx: &mut Tx,
    dependent: &ArtifactKey,
    edges: &[Edge],
    provisional: bool,
) -> Result<i64> {
    if let Some(edge) = edges.iter().find(|edge| edge.dependent != *dependent) {
        return Err(Error::Refused(format!("the edge \"{edge}\" is not one of {dependent}")));
    }
    let keys = edges.iter().map(|edge| &edge.dependency).chain([dependent]);
    let ids = artifacts::ensure_all(tx, keys).await?;
    let id = |key: &ArtifactKey| {
        ids.get(key).copied().ok_or_else(|| Error::Refused(format!("{key} got no id")))
    };
    let own = id(dependent)?;
    let version = next_version(tx).await?;
    // 1 >= 1 takes the provisional ones only; 1 >= 0 and 0 >= 0 take all.
    let sql = "DELETE FROM edges WHERE dependent = $1 AND provisional >= $2";
    tx.execute(sql, args![own, provisional]).await?;
    let mut values = Vec::with_capacity(edges.len() * 7);
    for (ordinal, edge) in edges.iter().enumerate() {
        values.extend(args![own, provisional, ordinal, id(&edge.dependency)?, edge.kind.as_str()]);
        values.extend(args![&edge.package, json(&edge.evidence)?]);
    }
    let sql = "INSERT INTO edges \
               (dependent, provisional, ordinal, dependency, kind, package, evidence) VALUES {}";
    tx.insert_rows(sql, 7, values).await?;
    let sql = "UPDATE artifacts SET edges_version = $2 WHERE id = $1";
    tx.execute(sql, args![own, version]).await?;
    Ok(version)
}

/// Counts the graph's version up. On PostgreSQL the row stays locked until the end of the transaction, so that versions
/// become visible in their order and no reader of `changed_since` misses one.
async fn next_version(tx: &mut Tx) -> Result<i64> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'graph' RETURNING value";
    tx.number("counters", sql, vec![]).await
}

/// The version of the graph: how often edges were replaced.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn graph_version(conn: &mut Conn) -> Result<i64> {
    conn.number("counters", "SELECT value FROM counters WHERE name = 'graph'", vec![]).await
}

/// The dependents whose edges were replaced after `version` of the graph.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn changed_since(conn: &mut Conn, version: i64) -> Result<Vec<ArtifactKey>> {
    let sql = "SELECT id, kind, name, branch FROM artifacts WHERE edges_version > $1 \
               ORDER BY edges_version";
    let rows = conn.rows("artifacts", sql, args![version]).await?;
    rows.into_iter()
        .map(|mut row| {
            let _id: i64 = row.take()?;
            row.artifact()
        })
        .collect()
}

/// Every edge there is, dependent by dependent.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn all(conn: &mut Conn) -> Result<Vec<StoredEdge>> {
    let mut edges = Vec::new();
    visit(conn, |edge| edges.push(edge)).await?;
    Ok(edges)
}

/// Shows every edge there is to `see`, dependent by dependent, without holding them all.
///
/// Several queries read them one after the other: on a snapshot they show one state.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn visit(conn: &mut Conn, mut see: impl FnMut(StoredEdge)) -> Result<()> {
    let mut reading = Reading::start(conn).await?;
    // Rows compare column by column, as the primary key is sorted.
    let sql = "SELECT dependent, provisional, ordinal, dependency, kind, package, evidence \
               FROM edges WHERE (dependent, provisional, ordinal) > ($1, $2, $3) \
               ORDER BY dependent, provisional, ordinal LIMIT $4";
    loop {
        let (dependent, provisional, ordinal) = reading.last;
        let values = args![dependent, provisional, ordinal, CHUNK];
        let rows = conn.rows("edges", sql, values).await?;
        let done = rows.len() < CHUNK as usize;
        for row in rows {
            see(reading.decode(row)?);
        }
        if done {
            return Ok(());
        }
    }
}

/// The edges of some dependents.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn for_dependents(
    conn: &mut Conn,
    dependents: &[ArtifactKey],
) -> Result<Vec<StoredEdge>> {
    let ids = artifacts::find_all(conn, &dependents.iter().collect()).await?;
    let select = "SELECT dependent, provisional, ordinal, dependency, kind, package, evidence \
                  FROM edges WHERE dependent IN ({}) ORDER BY dependent, provisional, ordinal";
    let ids: Vec<Value> = ids.values().map(|id| id.bind()).collect();
    let rows = conn.rows_in("edges", select, ids.clone()).await?;
    let mut reading = Reading::of(conn, ids).await?;
    rows.into_iter().map(|row| reading.decode(row)).collect()
}

/// The edges between some artifacts: those of which both ends are among them.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn between(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<StoredEdge>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    // A part of a list that is too long says nothing of the other end.
    let whole = conn.dialect() == Dialect::Sqlite || ids.len() <= LISTED;
    let select = if whole {
        "SELECT dependent, provisional, ordinal, dependency, kind, package, evidence FROM edges \
         WHERE dependent IN ({}) AND dependency IN ({}) ORDER BY dependent, provisional, ordinal"
    } else {
        "SELECT dependent, provisional, ordinal, dependency, kind, package, evidence FROM edges \
         WHERE dependent IN ({}) ORDER BY dependent, provisional, ordinal"
    };
    let listed = ids.values().map(|id| id.bind()).collect();
    let rows = conn.rows_in("edges", select, listed).await?;
    let mut reading = Reading::knowing(ids.into_iter().map(|(key, id)| (id, key)).collect());
    let mut found = Vec::new();
    for mut row in rows {
        if whole || reading.knows(&mut row)? {
            found.push(reading.decode(row)?);
        }
    }
    Ok(found)
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    visit(conn, drop).await
}

/// What is remembered while edges are read: the artifacts' names, and the last row.
struct Reading {
    names: HashMap<i64, ArtifactKey>,
    last: (i64, i64, i64),
    /// Neighbours often share their evidence, the buildroot of one build: it is then not parsed again.
    evidence: Option<(String, Evidence)>,
}

impl Reading {
    /// Ready for the edges of every artifact.
    async fn start(conn: &mut Conn) -> Result<Self> {
        let sql = "SELECT id, kind, name, branch FROM artifacts";
        Self::with(conn.rows("artifacts", sql, vec![]).await?)
    }

    /// Ready for the edges of these dependents: a few names instead of a whole distribution's.
    async fn of(conn: &mut Conn, dependents: Vec<Value>) -> Result<Self> {
        let select = "SELECT id, kind, name, branch FROM artifacts WHERE id IN ({}) OR id IN \
                      (SELECT dependency FROM edges WHERE dependent IN ({}))";
        Self::with(conn.rows_in("artifacts", select, dependents).await?)
    }

    fn with(rows: Vec<Row>) -> Result<Self> {
        let mut names = HashMap::new();
        for mut row in rows {
            names.insert(row.take()?, row.artifact()?);
        }
        Ok(Self::knowing(names))
    }

    /// Ready for the edges between artifacts of these names.
    fn knowing(names: HashMap<i64, ArtifactKey>) -> Self {
        Self { names, last: (-1, -1, -1), evidence: None }
    }

    /// Whether the name of an edge's dependency is known; the row stays as it was.
    fn knows(&self, row: &mut Row) -> Result<bool> {
        let _place: (i64, i64, i64) = (row.take()?, row.take()?, row.take()?);
        let dependency: i64 = row.take()?;
        row.next = 0;
        Ok(self.names.contains_key(&dependency))
    }

    fn decode(&mut self, mut row: Row) -> Result<StoredEdge> {
        self.last = (row.take()?, row.take()?, row.take()?);
        let names = &self.names;
        let name = |id: i64| names.get(&id).cloned().ok_or(format!("there is no artifact {id}"));
        let dependent = self.last.0;
        let dependency = row.take_with(name)?;
        let dependent = names.get(&dependent).cloned().ok_or_else(|| Error::Inconsistent {
            table: "edges",
            column: "dependent".to_owned(),
            row: dependent.to_string(),
            problem: "there is no such artifact".to_owned(),
        })?;
        let kind = row.take_with(|text: String| {
            let kind = EdgeKind::ALL.into_iter().find(|kind| kind.as_str() == text);
            kind.ok_or_else(|| format!("{text:?} is no kind of edge"))
        })?;
        let package = row.take()?;
        let last = self.evidence.take();
        let known = row.take_with(|text: String| match last {
            Some((known, evidence)) if known == text => Ok((known, evidence)),
            _ => match serde_json::from_str(&text) {
                Ok(evidence) => Ok((text, evidence)),
                Err(error) => Err(error.to_string()),
            },
        })?;
        let evidence = known.1.clone();
        self.evidence = Some(known);
        let edge = Edge { dependent, dependency, kind, package, evidence };
        Ok(StoredEdge { edge, provisional: self.last.1 != 0 })
    }
}
