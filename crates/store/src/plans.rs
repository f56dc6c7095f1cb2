//! Plans: stored once, never changed. What happens to them is on their steps.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName};
use model::clock::Timestamp;
use model::event::Severity;
use model::id::{EventId, PlanId};
use model::plan::{NumberedPlan, Plan};
use model::rule::PlanKind;
use model::step::Step;

use crate::connection::{Conn, Dialect, Tx};
use crate::error::Result;
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args, json, word};
use crate::{artifacts, sets, steps};

/// The head of a plan, for listings and for choosing which plans to read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanHead {
    /// Its public number.
    pub number: i64,
    /// Its id.
    pub id: PlanId,
    /// The plan it was merged from.
    pub parent: Option<PlanId>,
    /// The branch it works on.
    pub branch: BranchName,
    /// What it is made for.
    pub kind: PlanKind,
    /// The gravest of its causes.
    pub severity: Severity,
    /// When it was made.
    pub created: Timestamp,
    /// When it may start.
    pub start: Timestamp,
    /// How long it is expected to take.
    pub predicted: Duration,
    /// How many steps it has.
    pub steps: usize,
    /// How many of them are not settled. The plan is open while there are any.
    pub unsettled: usize,
}

macro_rules! select_heads {
    ($rest:literal) => {
        concat!(
            "SELECT p.number, p.id, p.parent, p.branch, p.mode, p.severity, p.created, p.starts, ",
            "p.predicted, p.size, p.unsettled FROM plans p ",
            $rest
        )
    };
}

macro_rules! select_plans {
    ($rest:literal) => {
        concat!("SELECT p.number, p.body FROM plans p ", $rest)
    };
}

/// Stores a plan with its steps and gives its public number.
///
/// # Errors
/// [`crate::Error::Conflict`] when the id is taken.
pub async fn insert(tx: &mut Tx, plan: &Plan, steps: &[Step]) -> Result<i64> {
    let numbers = insert_many(tx, &[(plan, steps.to_vec())]).await?;
    Ok(numbers[0])
}

/// Stores plans, each with its steps, and gives their public numbers, in the same order.
///
/// # Errors
/// [`crate::Error::Conflict`] when an id is taken.
pub async fn insert_many(tx: &mut Tx, plans: &[(&Plan, Vec<Step>)]) -> Result<Vec<i64>> {
    let mut values = Vec::with_capacity(plans.len() * 11);
    for (plan, steps) in plans {
        let unsettled = steps.iter().filter(|step| !step.state.is_settled()).count();
        let body = sets::pack(json(plan)?.as_bytes())?;
        let predicted = i64::try_from(plan.predicted.as_micros()).unwrap_or(i64::MAX);
        values.extend(args![plan.id, plan.parent, &plan.branch, word(&plan.mode.kind())?]);
        values.extend(args![word(&plan.severity)?, plan.created, plan.start, predicted]);
        values.extend(args![steps.len(), unsettled, body]);
    }
    let sql = "INSERT INTO plans (id, parent, branch, mode, severity, created, starts, predicted, \
               size, unsettled, body) VALUES {} RETURNING number, id";
    let mut numbers: HashMap<PlanId, i64> = HashMap::new();
    for mut row in tx.insert_returning("plans", sql, 11, values).await? {
        let number = row.take()?;
        numbers.insert(row.take()?, number);
    }
    let mut values = Vec::new();
    for (plan, _) in plans {
        values.extend(plan.events.iter().flat_map(|event| args![*event, numbers[&plan.id]]));
    }
    let sql = "INSERT INTO plan_events (event, plan) VALUES {} ON CONFLICT DO NOTHING";
    tx.insert_rows(sql, 2, values).await?;
    let keys = plans.iter().flat_map(|(plan, _)| &plan.steps).map(|step| &step.artifact);
    let ids = artifacts::ensure_all(tx, keys).await?;
    steps::insert(tx, plans, (&numbers, &ids)).await?;
    Ok(plans.iter().map(|(plan, _)| numbers[&plan.id]).collect())
}

/// A plan by its id.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: PlanId) -> Result<Option<NumberedPlan>> {
    let sql = select_plans!("WHERE p.id = $1");
    conn.row("plans", sql, args![id]).await?.map(decode).transpose()
}

/// Those plans of `ids` that there are, in the order of making.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn get_many(conn: &mut Conn, ids: &[PlanId]) -> Result<Vec<NumberedPlan>> {
    let ids = ids.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("plans", select_plans!("WHERE p.id IN ({})"), ids).await?;
    let mut found: Vec<NumberedPlan> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    found.sort_by_key(|plan| plan.number);
    Ok(found)
}

/// A plan by its public number.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<NumberedPlan>> {
    let sql = select_plans!("WHERE p.number = $1");
    conn.row("plans", sql, args![number]).await?.map(decode).transpose()
}

/// The id of the plan of a public number, without reading the plan.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn id_of(conn: &mut Conn, number: i64) -> Result<Option<PlanId>> {
    let row = conn.row("plans", "SELECT id FROM plans WHERE number = $1", args![number]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// The public numbers of some plans, without reading them.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn numbers(conn: &mut Conn, ids: &[PlanId]) -> Result<HashMap<PlanId, i64>> {
    let ids: BTreeSet<PlanId> = ids.iter().copied().collect();
    let ids = ids.into_iter().map(super::value::Bind::bind).collect();
    let rows = conn.rows_in("plans", "SELECT number, id FROM plans WHERE id IN ({})", ids).await?;
    rows.into_iter()
        .map(|mut row| {
            let number = row.take()?;
            Ok((row.take()?, number))
        })
        .collect()
}

/// The head of a plan.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn head(conn: &mut Conn, id: PlanId) -> Result<Option<PlanHead>> {
    let sql = select_heads!("WHERE p.id = $1");
    conn.row("plans", sql, args![id]).await?.map(decode_head).transpose()
}

/// The heads of the newest plans, of all or only of the open ones.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    branch: Option<&BranchName>,
    open_only: bool,
    page: Page,
) -> Result<Vec<PlanHead>> {
    let mut filter = Filter::new("p.number", page);
    filter.equals("p.branch", branch);
    if open_only {
        filter.and("p.unsettled > 0");
    }
    let (sql, values) = filter.query(select_heads!(""), "p.number", page);
    conn.rows("plans", sql, values).await?.into_iter().map(decode_head).collect()
}

/// The heads of all open plans of a branch, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn open(conn: &mut Conn, branch: &BranchName) -> Result<Vec<PlanHead>> {
    let sql = select_heads!("WHERE p.branch = $1 AND p.unsettled > 0 ORDER BY p.number");
    conn.rows("plans", sql, args![branch]).await?.into_iter().map(decode_head).collect()
}

/// The heads of the open plans that are carried out and may have started by `now`, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn started(conn: &mut Conn, now: Timestamp) -> Result<Vec<PlanHead>> {
    // Sorted here: asked for the order, SQLite takes it from the table and reads every plan there ever was.
    let sql = select_heads!("WHERE p.unsettled > 0 AND p.mode = 'real' AND p.starts <= $1");
    let rows = conn.rows("plans", sql, args![now]).await?;
    let mut heads: Vec<PlanHead> = rows.into_iter().map(decode_head).collect::<Result<_>>()?;
    heads.sort_by_key(|head| head.number);
    Ok(heads)
}

/// Lets a plan start at `at` if it would have waited longer; says whether it would have. Its body stays as it was made.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn bring_forward(tx: &mut Tx, id: PlanId, at: Timestamp) -> Result<bool> {
    let sql = "UPDATE plans SET starts = $2 WHERE id = $1 AND starts > $2";
    Ok(tx.execute(sql, args![id, at]).await? == 1)
}

/// The branches that have open plans, sorted.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn open_branches(conn: &mut Conn) -> Result<Vec<BranchName>> {
    let sql = "SELECT DISTINCT branch FROM plans WHERE unsettled > 0 ORDER BY branch";
    conn.rows("plans", sql, vec![]).await?.into_iter().map(|mut row| row.parse()).collect()
}

/// The heads of the plans that wait for a person, of one branch or all, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn proposed(conn: &mut Conn, branch: Option<&BranchName>) -> Result<Vec<PlanHead>> {
    let sql = match conn.dialect() {
        // Dialect: left to choose, SQLite takes the index of all open plans, of which there may be thousands.
        Dialect::Sqlite => {
            select_heads!("INDEXED BY plans_proposed WHERE p.unsettled > 0 AND p.mode = 'proposed'")
        }
        Dialect::Postgres => select_heads!("WHERE p.unsettled > 0 AND p.mode = 'proposed'"),
    };
    let rows = conn.rows("plans", sql, vec![]).await?;
    let mut heads: Vec<PlanHead> = rows.into_iter().map(decode_head).collect::<Result<_>>()?;
    heads.retain(|head| branch.is_none_or(|branch| head.branch == *branch));
    heads.sort_by_key(|head| head.number);
    Ok(heads)
}

/// The heads of the open plans that are carried out and have a step of one of these artifacts, settled or not, the
/// oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn open_touching(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<PlanHead>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let select = select_heads!(
        "WHERE p.unsettled > 0 AND p.mode = 'real' \
         AND p.number IN (SELECT plan FROM steps WHERE artifact IN ({}))"
    );
    let rows = conn.rows_in("plans", select, ids.values().map(|id| id.bind()).collect()).await?;
    let mut heads: Vec<PlanHead> = rows.into_iter().map(decode_head).collect::<Result<_>>()?;
    heads.sort_by_key(|head| head.number);
    // One plan may touch artifacts of two queries.
    heads.dedup_by_key(|head| head.number);
    Ok(heads)
}

/// The heads of the plans that answer an event, the oldest first.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn answering(conn: &mut Conn, event: EventId) -> Result<Vec<PlanHead>> {
    let sql = select_heads!(
        "JOIN plan_events e ON e.plan = p.number WHERE e.event = $1 ORDER BY p.number"
    );
    conn.rows("plans", sql, args![event]).await?.into_iter().map(decode_head).collect()
}

/// The plans that were made in shadow mode from `from` on and before `until`, in the order of making.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn in_shadow(
    conn: &mut Conn,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<NumberedPlan>> {
    let sql = select_plans!(
        "WHERE p.mode = 'shadow' AND p.created >= $1 AND p.created < $2 ORDER BY p.number"
    );
    conn.rows("plans", sql, args![from, until]).await?.into_iter().map(decode).collect()
}

/// When the first plan was made in shadow mode; none if there never was one.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn first_in_shadow(conn: &mut Conn) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(created) FROM plans WHERE mode = 'shadow'";
    let row = conn.row("plans", sql, vec![]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?.flatten())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("plans", select_heads!(""), "p.number", decode_head).await?;
    conn.check_rows("plans", select_plans!(""), "p.number", decode).await
}

fn decode_head(mut row: Row) -> Result<PlanHead> {
    Ok(PlanHead {
        number: row.take()?,
        id: row.take()?,
        parent: row.take()?,
        branch: row.parse()?,
        kind: row.word()?,
        severity: row.word()?,
        created: row.take()?,
        start: row.take()?,
        predicted: row.take()?,
        steps: row.take()?,
        unsettled: row.take()?,
    })
}

fn decode(mut row: Row) -> Result<NumberedPlan> {
    let number = row.take()?;
    let plan = row.take_with(|body: Vec<u8>| {
        let bytes = sets::unpack_all(&body)?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    })?;
    Ok(NumberedPlan { number, plan })
}
