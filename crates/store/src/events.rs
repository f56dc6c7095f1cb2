//! Events: what happened outside, in the order of recording.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::event::{Event, EventState, RecordedEvent};
use model::id::EventId;

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args, json, placeholders};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT e.number, e.id, e.at, e.document, e.state FROM events e ", $rest)
    };
}

/// Records an event as new and gives its public number.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken.
pub async fn insert(tx: &mut Tx, id: EventId, event: &Event, at: Timestamp) -> Result<i64> {
    let numbers = insert_many(tx, &[(id, event.clone())], at).await?;
    Ok(numbers[0])
}

/// Records events as new and gives their public numbers, which are in the same order.
///
/// # Errors
/// [`Error::Conflict`] when an id is taken.
pub async fn insert_many(
    tx: &mut Tx,
    events: &[(EventId, Event)],
    at: Timestamp,
) -> Result<Vec<i64>> {
    let ids = artifacts::ensure_all(tx, events.iter().map(|(_, event)| event.artifact())).await?;
    let mut values = Vec::with_capacity(events.len() * 6);
    for (id, event) in events {
        let artifact = ids.get(event.artifact()).copied();
        values.extend(args![*id, artifact, event.kind(), at, EventState::New.as_str()]);
        values.push(json(event)?.bind());
    }
    let sql =
        "INSERT INTO events (id, artifact, kind, at, state, document) VALUES {} RETURNING number";
    let rows = tx.insert_returning("events", sql, 6, values).await?;
    let mut numbers: Vec<i64> =
        rows.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Changes what became of events, each named once.
///
/// # Errors
/// [`Error::Conflict`] when one of them is not in the state `from`.
pub async fn set_state(
    tx: &mut Tx,
    ids: &[EventId],
    from: EventState,
    to: EventState,
) -> Result<()> {
    for ids in ids.chunks(1_000) {
        let list = placeholders(3, ids.len());
        let sql = format!("UPDATE events SET state = $2 WHERE state = $1 AND id IN ({list})");
        let mut values = args![from.as_str(), to.as_str()];
        values.extend(ids.iter().map(|id| id.bind()));
        if tx.execute(sql, values).await? < ids.len() as u64 {
            let list: Vec<String> = ids.iter().map(EventId::to_string).collect();
            let (list, from) = (list.join(", "), from.as_str());
            return Err(Error::Conflict(format!(
                "not every one of these events is {from}: {list}"
            )));
        }
    }
    Ok(())
}

/// The events nobody has answered yet, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn pending(conn: &mut Conn, limit: u32) -> Result<Vec<RecordedEvent>> {
    let sql = select!("WHERE e.state = 'new' ORDER BY e.number LIMIT $1");
    conn.rows("events", sql, args![limit]).await?.into_iter().map(decode).collect()
}

/// An event by its id.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: EventId) -> Result<Option<RecordedEvent>> {
    conn.row("events", select!("WHERE e.id = $1"), args![id]).await?.map(decode).transpose()
}

/// Those events of `ids` that there are, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get_many(conn: &mut Conn, ids: &[EventId]) -> Result<Vec<RecordedEvent>> {
    let ids = ids.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("events", select!("WHERE e.id IN ({})"), ids).await?;
    let mut found: Vec<RecordedEvent> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    found.sort_by_key(|event| event.number);
    Ok(found)
}

/// For each of these plans, by its public number, the first of the events it answers and how many there are.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn first_of_plans(
    conn: &mut Conn,
    plans: &[i64],
) -> Result<BTreeMap<i64, (RecordedEvent, usize)>> {
    let select = "SELECT f.plan, f.count, e.number, e.id, e.at, e.document, e.state FROM \
                  (SELECT pe.plan AS plan, min(n.number) AS number, count(*) AS count \
                  FROM plan_events pe JOIN events n ON n.id = pe.event \
                  WHERE pe.plan IN ({}) GROUP BY pe.plan) f \
                  JOIN events e ON e.number = f.number";
    let plans = plans.iter().map(|number| number.bind()).collect();
    let rows = conn.rows_in("plan_events", select, plans).await?;
    let decoded = rows.into_iter().map(|mut row| -> Result<_> {
        let (plan, count) = (row.take()?, row.take()?);
        Ok((plan, (decode(row)?, count)))
    });
    decoded.collect()
}

/// An event by its public number.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<RecordedEvent>> {
    let sql = select!("WHERE e.number = $1");
    conn.row("events", sql, args![number]).await?.map(decode).transpose()
}

/// The public numbers of some events, without reading them.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn numbers(conn: &mut Conn, ids: &[EventId]) -> Result<HashMap<EventId, i64>> {
    let ids: BTreeSet<EventId> = ids.iter().copied().collect();
    let ids = ids.into_iter().map(super::value::Bind::bind).collect();
    let rows =
        conn.rows_in("events", "SELECT number, id FROM events WHERE id IN ({})", ids).await?;
    rows.into_iter()
        .map(|mut row| {
            let number = row.take()?;
            Ok((row.take()?, number))
        })
        .collect()
}

/// Which events are listed; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Those about this artifact.
    pub artifact: Option<ArtifactKey>,
    /// Those of this kind, as `Event::kind` names it.
    pub kind: Option<String>,
    /// Those in this state.
    pub state: Option<EventState>,
}

/// The newest events.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, wanted: &EventFilter, page: Page) -> Result<Vec<RecordedEvent>> {
    let mut filter = Filter::new("e.number", page);
    if let Some(key) = &wanted.artifact {
        let Some(artifact) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("e.artifact", Some(artifact));
    }
    filter.equals("e.kind", wanted.kind.as_deref());
    filter.equals("e.state", wanted.state.map(EventState::as_str));
    let (sql, values) = filter.query(select!(""), "e.number", page);
    conn.rows("events", sql, values).await?.into_iter().map(decode).collect()
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("events", select!(""), "e.number", decode).await
}

fn decode(mut row: Row) -> Result<RecordedEvent> {
    Ok(RecordedEvent {
        number: row.take()?,
        id: row.take()?,
        at: row.take()?,
        event: row.json()?,
        state: row.word()?,
    })
}
