//! Decisions: the ledger's lines, only ever appended.

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind, NumberedDecision};
use model::id::{EventId, PlanId};

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args, json, word};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.number, d.kind, d.at, d.event, d.plan, a.kind, a.name, a.branch, ",
            "d.sentence, d.detail FROM decisions d LEFT JOIN artifacts a ON a.id = d.artifact ",
            $rest
        )
    };
}

/// Appends lines to the ledger, in their order.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn append_many(tx: &mut Tx, decisions: &[Decision]) -> Result<()> {
    let keys = decisions.iter().filter_map(|decision| decision.artifact.as_ref());
    let ids = artifacts::ensure_all(tx, keys).await?;
    let mut values = Vec::with_capacity(decisions.len() * 7);
    for decision in decisions {
        let artifact = decision.artifact.as_ref().and_then(|key| ids.get(key)).copied();
        values.extend(args![word(&decision.kind)?, decision.at, decision.event, decision.plan]);
        values.extend(args![artifact, &decision.sentence, json(&decision.detail)?]);
    }
    let sql = "INSERT INTO decisions (kind, at, event, plan, artifact, sentence, detail) VALUES {}";
    tx.insert_rows(sql, 7, values).await
}

/// Which lines are listed; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// Those in this plan.
    pub plan: Option<PlanId>,
    /// Those about this artifact.
    pub artifact: Option<ArtifactKey>,
    /// Those on account of this event.
    pub event: Option<EventId>,
    /// Those of this kind.
    pub kind: Option<DecisionKind>,
}

/// The newest lines of the ledger.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    wanted: &DecisionFilter,
    page: Page,
) -> Result<Vec<NumberedDecision>> {
    let mut filter = Filter::new("d.number", page);
    if let Some(key) = &wanted.artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("d.artifact", Some(id));
    }
    filter.equals("d.plan", wanted.plan);
    filter.equals("d.event", wanted.event);
    let kind = wanted.kind.as_ref().map(word).transpose()?;
    filter.equals("d.kind", kind);
    let (sql, values) = filter.query(select!(""), "d.number", page);
    conn.rows("decisions", sql, values).await?.into_iter().map(decode).collect()
}

/// A line of the ledger.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<NumberedDecision>> {
    let sql = select!("WHERE d.number = $1");
    conn.row("decisions", sql, args![number]).await?.map(decode).transpose()
}

/// The lines behind this place that were taken by `until`, the oldest first, up to the first that was taken later.
pub(crate) async fn after(
    conn: &mut Conn,
    number: i64,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<NumberedDecision>> {
    let sql = select!("WHERE d.number > $1 ORDER BY d.number LIMIT $2");
    let rows = conn.rows("decisions", sql, args![number, limit]).await?;
    let lines: Vec<NumberedDecision> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    Ok(lines.into_iter().take_while(|line| line.decision.at <= until).collect())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("decisions", select!(""), "d.number", decode).await
}

fn decode(mut row: Row) -> Result<NumberedDecision> {
    let number = row.take()?;
    let decision = Decision {
        kind: row.word()?,
        at: row.take()?,
        event: row.take()?,
        plan: row.take()?,
        artifact: row.artifact_optional()?,
        sentence: row.take()?,
        detail: row.json()?,
    };
    Ok(NumberedDecision { number, decision })
}
