//! Steps: where each artifact of a plan stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::id::{BuildId, PlanId};
use model::plan::Plan;
use model::step::{Step, StepState};

use crate::artifacts;
use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::value::{Bind, Value, args, json};

/// A step with the artifact and the plan it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedStep {
    /// The public number of its plan.
    pub plan_number: i64,
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// The step.
    pub step: Step,
}

/// Where a step stands, in few words: for graphs and sums of plans with thousands of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepStand {
    /// The public number of its plan.
    pub plan_number: i64,
    /// Its position in the plan.
    pub index: usize,
    /// The name of its state.
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.plan, p.id, a.kind, a.name, a.branch, s.position, s.state, s.detail, ",
            "s.reason, s.round, s.previous, s.since, s.version FROM steps s ",
            "JOIN plans p ON p.number = s.plan JOIN artifacts a ON a.id = s.artifact ",
            $rest
        )
    };
}

pub(crate) async fn insert(
    tx: &mut Tx,
    plans: &[(&Plan, Vec<Step>)],
    (numbers, ids): (&HashMap<PlanId, i64>, &BTreeMap<ArtifactKey, i64>),
) -> Result<()> {
    let mut values = Vec::new();
    for (plan, step) in plans.iter().flat_map(|(plan, steps)| steps.iter().map(|s| (*plan, s))) {
        let planned = plan.steps.get(step.index).filter(|_| step.plan == plan.id);
        let artifact = planned.and_then(|planned| ids.get(&planned.artifact)).copied();
        let artifact = artifact.ok_or_else(|| {
            Error::Refused(format!(
                "step {} of {} is not in plan {}",
                step.index, step.plan, plan.id
            ))
        })?;
        values.extend(args![numbers.get(&plan.id).copied(), step.index, artifact]);
        values.extend(args![step.state.name(), json(&step.state)?]);
        values.extend(args![json(&step.reason)?, step.round, step.previous, step.since]);
        values.extend(args![step.state.is_settled(), step.version]);
    }
    let sql = "INSERT INTO steps (plan, position, artifact, state, detail, reason, round, \
               previous, since, settled, version) VALUES {}";
    tx.insert_rows(sql, 11, values).await
}

/// The steps of a plan, in their order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn of_plan(conn: &mut Conn, plan: PlanId) -> Result<Vec<Step>> {
    let sql = select!("WHERE p.id = $1 ORDER BY s.position");
    let rows = conn.rows("steps", sql, args![plan]).await?;
    rows.into_iter().map(|row| decode(row).map(|placed| placed.step)).collect()
}

/// The steps of several plans, plan by plan in the order of making.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn of_plans(conn: &mut Conn, plans: &[PlanId]) -> Result<Vec<PlacedStep>> {
    let ids = plans.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("steps", select!("WHERE p.id IN ({})"), ids).await?;
    let mut steps: Vec<PlacedStep> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    steps.sort_by_key(|placed| (placed.plan_number, placed.step.index));
    Ok(steps)
}

/// Where every step of a plan stands, in their order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn stands(conn: &mut Conn, plan_number: i64) -> Result<Vec<StepStand>> {
    let sql = "SELECT plan, position, state, since FROM steps WHERE plan = $1 ORDER BY position";
    let rows = conn.rows("steps", sql, args![plan_number]).await?;
    rows.into_iter().map(decode_stand).collect()
}

/// Where those steps of these plans stand that are not settled, plan by plan and in their order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn open_stands(conn: &mut Conn, plan_numbers: &[i64]) -> Result<Vec<StepStand>> {
    let select = "SELECT plan, position, state, since FROM steps \
                  WHERE plan IN ({}) AND settled = 0";
    let numbers = plan_numbers.iter().map(|number| number.bind()).collect();
    let rows = conn.rows_in("steps", select, numbers).await?;
    let mut stands: Vec<StepStand> = rows.into_iter().map(decode_stand).collect::<Result<_>>()?;
    stands.sort_by_key(|stand| (stand.plan_number, stand.index));
    Ok(stands)
}

/// Some steps of a plan, in their order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn some_of_plan(
    conn: &mut Conn,
    plan_number: i64,
    indices: &[usize],
) -> Result<Vec<Step>> {
    // The number is ours and stands in the text: the list's values are the positions.
    let select = format!("{}{plan_number} AND s.position IN ({{}})", select!("WHERE s.plan = "));
    let values = indices.iter().map(|index| index.bind()).collect();
    let rows = conn.rows_in("steps", &select, values).await?;
    let mut steps: Vec<Step> =
        rows.into_iter().map(|row| decode(row).map(|placed| placed.step)).collect::<Result<_>>()?;
    steps.sort_by_key(|step| step.index);
    Ok(steps)
}

/// A step.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, plan: PlanId, index: usize) -> Result<Option<Step>> {
    let sql = select!("WHERE p.id = $1 AND s.position = $2");
    let row = conn.row("steps", sql, args![plan, index]).await?;
    row.map(|row| decode(row).map(|placed| placed.step)).transpose()
}

/// The unsettled steps in the state of this name, in all plans, the oldest plan first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn unsettled(conn: &mut Conn, state: &str) -> Result<Vec<PlacedStep>> {
    let sql = select!("WHERE s.settled = 0 AND s.state = $1 ORDER BY s.plan, s.position");
    conn.rows("steps", sql, args![state]).await?.into_iter().map(decode).collect()
}

/// The builds that unsettled steps have, in all plans: those they are about, and those of an earlier round.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn builds_of_unsettled(conn: &mut Conn) -> Result<BTreeSet<BuildId>> {
    let rows = conn.rows("steps", select!("WHERE s.settled = 0"), vec![]).await?;
    let mut builds = BTreeSet::new();
    for row in rows {
        let step = decode(row)?.step;
        builds.extend(step.state.build().into_iter().chain(step.previous));
    }
    Ok(builds)
}

/// The steps of an artifact in the newest plans, the newest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn of_artifact(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    limit: u32,
) -> Result<Vec<PlacedStep>> {
    let Some(id) = artifacts::find(conn, artifact).await? else { return Ok(Vec::new()) };
    let sql = select!("WHERE s.artifact = $1 ORDER BY s.plan DESC, s.position LIMIT $2");
    conn.rows("steps", sql, args![id, limit]).await?.into_iter().map(decode).collect()
}

/// Which steps are listed; what is left out is not asked for.
#[derive(Clone, Debug, Default)]
pub struct StepFilter {
    /// Those in the plan of this number.
    pub plan: Option<i64>,
    /// Those of this artifact.
    pub artifact: Option<ArtifactKey>,
    /// Those in the state of this name.
    pub state: Option<String>,
    /// Those that are not settled.
    pub unsettled: bool,
}

/// The steps of the newest plans, the last of each first, after those up to a plan and a position.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    wanted: &StepFilter,
    before: Option<(i64, i64)>,
    limit: u32,
) -> Result<Vec<PlacedStep>> {
    let (plan, position) = before.unwrap_or((i64::MAX, i64::MAX));
    let mut sql = select!("WHERE (s.plan, s.position) < ($1, $2)").to_owned();
    let mut values = args![plan, position];
    let mut equals = |column: &str, value: Value| {
        values.push(value);
        sql.push_str(&format!(" AND {column} = ${}", values.len()));
    };
    if let Some(key) = &wanted.artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        equals("s.artifact", id.bind());
    }
    if let Some(plan) = wanted.plan {
        equals("s.plan", plan.bind());
    }
    if let Some(state) = &wanted.state {
        equals("s.state", state.bind());
    }
    if wanted.unsettled {
        sql.push_str(" AND s.settled = 0");
    }
    values.push(limit.bind());
    sql.push_str(&format!(" ORDER BY s.plan DESC, s.position DESC LIMIT ${}", values.len()));
    conn.rows("steps", sql, values).await?.into_iter().map(decode).collect()
}

/// How many steps of each of these plans are in each state.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn counts(
    conn: &mut Conn,
    plans: &[i64],
) -> Result<BTreeMap<i64, BTreeMap<String, usize>>> {
    let select = "SELECT plan, state, count(*) FROM steps WHERE plan IN ({}) GROUP BY plan, state";
    let plans = plans.iter().map(|number| number.bind()).collect();
    let mut counts: BTreeMap<i64, BTreeMap<String, usize>> = BTreeMap::new();
    for mut row in conn.rows_in("steps", select, plans).await? {
        counts.entry(row.take()?).or_default().insert(row.take()?, row.take()?);
    }
    Ok(counts)
}

/// Where each of these artifacts, by their internal ids, stands in the newest plan that has it.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn newest_of(conn: &mut Conn, artifacts: &[i64]) -> Result<BTreeMap<i64, StepStand>> {
    let select = "SELECT s.artifact, s.plan, s.position, s.state, s.since FROM \
                  (SELECT artifact, max(plan) AS plan FROM steps WHERE artifact IN ({}) \
                  GROUP BY artifact) n \
                  JOIN steps s ON s.artifact = n.artifact AND s.plan = n.plan";
    let ids = artifacts.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("steps", select, ids).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, decode_stand(row)?))).collect()
}

/// Stores a step's state, reason, round and time, and gives its new version. Whether its plan is open follows.
///
/// # Errors
/// [`Error::Conflict`] when it is not at `step.version` any more.
pub async fn update(tx: &mut Tx, step: &Step) -> Result<i64> {
    let sql = "SELECT s.plan, s.settled FROM steps s JOIN plans p ON p.number = s.plan \
               WHERE p.id = $1 AND s.position = $2 AND s.version = $3";
    let row = tx.row("steps", sql, args![step.plan, step.index, step.version]).await?;
    let Some(mut row) = row else { return Err(stale(step)) };
    let plan: i64 = row.take()?;
    let was_settled: bool = row.take()?;
    let settled = step.state.is_settled();
    let sql = "UPDATE steps SET state = $4, detail = $5, reason = $6, round = $7, since = $8, \
               settled = $9, previous = $10, version = version + 1 \
               WHERE plan = $1 AND position = $2 AND version = $3";
    let mut values = args![plan, step.index, step.version, step.state.name(), json(&step.state)?];
    values.extend(args![json(&step.reason)?, step.round, step.since, settled, step.previous]);
    // The version is asked for again: on PostgreSQL another may have written since it was read above.
    if tx.execute(sql, values).await? == 0 {
        return Err(stale(step));
    }
    let change = i64::from(was_settled) - i64::from(settled);
    if change != 0 {
        let sql = "UPDATE plans SET unsettled = unsettled + $2 WHERE number = $1";
        tx.execute(sql, args![plan, change]).await?;
    }
    Ok(step.version + 1)
}

fn stale(step: &Step) -> Error {
    Error::Conflict(format!(
        "step {} of plan {} is not at version {} any more",
        step.index, step.plan, step.version
    ))
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("steps", select!(""), "s.plan", decode).await
}

fn decode_stand(mut row: Row) -> Result<StepStand> {
    Ok(StepStand {
        plan_number: row.take()?,
        index: row.take()?,
        state: row.take_with(|text: String| {
            let known = StepState::NAMES.into_iter().find(|name| *name == text);
            known.ok_or_else(|| format!("{text:?} is no state of a step"))
        })?,
        since: row.take()?,
    })
}

fn decode(mut row: Row) -> Result<PlacedStep> {
    let plan_number = row.take()?;
    let plan = row.take()?;
    let artifact = row.artifact()?;
    let step = Step {
        plan,
        index: row.take()?,
        state: row.state(StepState::name)?,
        reason: row.json()?,
        round: row.take()?,
        previous: row.take()?,
        since: row.take()?,
        version: row.take()?,
    };
    Ok(PlacedStep { plan_number, artifact, step })
}
