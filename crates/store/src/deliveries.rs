//! Deliveries: word on its way to people. What is to be sent is stored before it is sent, and how that went after.

use std::collections::BTreeMap;

use model::clock::Timestamp;
use model::id::{DeliveryId, NoticeId};
use model::notice::{Channel, Delivery, DeliveryState, Notice};

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Filter, args, json};
use crate::{health, notices};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.number, d.id, d.person, d.channel, d.pace, d.follows, d.due, d.attempts, ",
            "d.state, d.detail FROM deliveries d ",
            $rest
        )
    };
}

/// Stores a delivery of one notice; more may join it with [`join`] until it goes out.
///
/// # Errors
/// [`Error::Refused`] when there is no such notice.
pub async fn insert(
    tx: &mut Tx,
    delivery: &Delivery,
    notice: NoticeId,
    at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO deliveries (id, person, channel, pace, follows, due, attempts, state, \
               detail, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let Delivery { person, pace, state, .. } = delivery;
    let mut values = args![delivery.id, person, json(&delivery.channel)?, pace.as_str()];
    values.extend(args![delivery.follows, delivery.due, delivery.attempts]);
    values.extend(args![state.name(), json(state)?, at]);
    tx.execute(sql, values).await?;
    join(tx, delivery.id, notice).await
}

/// Adds a notice to a delivery.
///
/// # Errors
/// [`Error::Refused`] when there is no such delivery or notice.
pub async fn join(tx: &mut Tx, delivery: DeliveryId, notice: NoticeId) -> Result<()> {
    let sql = "INSERT INTO delivered_notices (notice, delivery) SELECT n.number, d.number \
               FROM notices n, deliveries d WHERE n.id = $1 AND d.id = $2 ON CONFLICT DO NOTHING";
    tx.execute(sql, args![notice, delivery]).await?;
    Ok(())
}

/// The delivery to this person on this way that goes out at `due` and was not tried yet, if there is one.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn waiting(
    conn: &mut Conn,
    person: &str,
    channel: &Channel,
    due: Timestamp,
) -> Result<Option<Delivery>> {
    let sql = select!(
        "WHERE d.state = 'waiting' AND d.due = $1 AND d.person = $2 AND d.channel = $3 \
         ORDER BY d.number"
    );
    let values = args![due, person, json(channel)?];
    conn.row("deliveries", sql, values).await?.map(decode).transpose()
}

/// What is to go out by `now`, the longest due first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn due(conn: &mut Conn, now: Timestamp, limit: u32) -> Result<Vec<Delivery>> {
    let sql = select!(
        "WHERE d.state IN ('waiting', 'retrying') AND d.due <= $1 ORDER BY d.due, d.number LIMIT $2"
    );
    conn.rows("deliveries", sql, args![now, limit]).await?.into_iter().map(decode).collect()
}

/// The notices of a delivery, in the order in which they came up.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn notices_of(conn: &mut Conn, delivery: DeliveryId) -> Result<Vec<Notice>> {
    let sql = "SELECT n.id FROM notices n JOIN delivered_notices m ON m.notice = n.number \
               JOIN deliveries d ON d.number = m.delivery WHERE d.id = $1 ORDER BY n.number";
    let mut found = Vec::new();
    for mut row in conn.rows("delivered_notices", sql, args![delivery]).await? {
        found.extend(notices::get(conn, row.take()?).await?);
    }
    Ok(found)
}

/// The deliveries of a notice, in the order of making.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn of_notice(conn: &mut Conn, notice: NoticeId) -> Result<Vec<Delivery>> {
    let sql = select!(
        "JOIN delivered_notices m ON m.delivery = d.number JOIN notices n ON n.number = m.notice \
         WHERE n.id = $1 ORDER BY d.number"
    );
    conn.rows("deliveries", sql, args![notice]).await?.into_iter().map(decode).collect()
}

/// Records how an attempt went: attempts, state, and when the next one is due.
///
/// # Errors
/// [`Error::Conflict`] when it reached the other side already, or was given up.
pub async fn update(tx: &mut Tx, delivery: &Delivery) -> Result<()> {
    let sql = "UPDATE deliveries SET due = $2, attempts = $3, state = $4, detail = $5 \
               WHERE id = $1 AND state IN ('waiting', 'retrying')";
    let state = &delivery.state;
    let mut values = args![delivery.id, delivery.due, delivery.attempts];
    values.extend(args![state.name(), json(state)?]);
    match tx.execute(sql, values).await? {
        0 => Err(Error::Conflict(format!("delivery {} does not wait to go out", delivery.id))),
        _ => Ok(()),
    }
}

/// The newest deliveries in the state of this name, or in any.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(conn: &mut Conn, state: Option<&str>, page: Page) -> Result<Vec<Delivery>> {
    let mut filter = Filter::new("d.number", page);
    filter.equals("d.state", state);
    let (sql, values) = filter.query(select!(""), "d.number", page);
    conn.rows("deliveries", sql, values).await?.into_iter().map(decode).collect()
}

/// How many there are in each state.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn count(conn: &mut Conn) -> Result<BTreeMap<String, u64>> {
    let sql = "SELECT state, count(*) FROM deliveries GROUP BY state";
    health::count_by_state(conn, sql).await
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("deliveries", select!(""), "d.number", decode).await
}

fn decode(mut row: Row) -> Result<Delivery> {
    let _number: i64 = row.take()?;
    Ok(Delivery {
        id: row.take()?,
        person: row.take()?,
        channel: row.json()?,
        pace: row.word()?,
        follows: row.take()?,
        due: row.take()?,
        attempts: row.take()?,
        state: row.state(DeliveryState::name)?,
    })
}
