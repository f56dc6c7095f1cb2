//! Builds: one for each artifact, commit and input; their NVRs; who works on them.

use std::collections::BTreeMap;
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{Build, BuildState, Flavour};
use model::clock::Timestamp;
use model::digest::Digest;
use model::id::BuildId;
use model::removal::{Subject, SubjectKind};
use model::version::{Evr, Nvr};

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::row::Row;
use crate::value::{Bind, Filter, args, json};
use crate::{artifacts, packages, removals};

/// A build that is asked for.
#[derive(Clone, Debug)]
pub struct NewBuild {
    /// Its id, should it be new.
    pub id: BuildId,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// From which commit.
    pub commit: CommitId,
    /// In which flavour.
    pub flavour: Flavour,
    /// The digest over everything that goes in.
    pub input: Digest,
    /// The source package's name.
    pub name: String,
    /// Its version as the spec says, with the branch's dist tag.
    pub evr: Evr,
    /// The branch's dist tag, e.g. `.f44`.
    pub dist: String,
    /// The repository its inputs were resolved from.
    pub snapshot: Digest,
    /// The large set that holds its inputs.
    pub inputs: Digest,
    /// When it is asked for.
    pub created: Timestamp,
}

/// What asking for a build came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It is queued, under an NVR of its own.
    New(Build),
    /// The same artifact, commit and input were asked for before.
    Known(Build),
    /// Another build has the NVR, and the release does not end in the dist tag, so that no other can be made.
    Taken {
        /// The NVR.
        nvr: Nvr,
    },
}

/// Who reports about which attempt at a build. Anybody else's report does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The build.
    pub build: BuildId,
    /// The process that was given it.
    pub owner: String,
    /// The attempt it was given.
    pub attempt: u32,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT b.number, b.id, a.kind, a.name, a.branch, b.commit_id, b.flavour, b.input, ",
            "b.name AS source_name, b.evr, b.dist, b.snapshot, b.inputs, b.attempt, b.state, ",
            "b.detail, b.created, b.version ",
            "FROM builds b JOIN artifacts a ON a.id = b.artifact ",
            $rest
        )
    };
}

/// Asks for a build. The first build of an NVR gets the dist tag as it is, each further one a higher minor bump:
/// `.f44`, `.f44.1`, `.f44.2`.
///
/// A build whose outputs were removed is of no use any more: the same build is made once more, under an NVR of its own.
/// Its input then also names the one it stands in for.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken.
pub async fn reserve(tx: &mut Tx, new: &NewBuild) -> Result<Reservation> {
    let artifact = artifacts::ensure(tx, &new.artifact).await?;
    artifacts::lock(tx, artifact).await?;
    let mut input = new.input;
    while let Some(build) = find(tx, &new.artifact, &new.commit, input).await? {
        let outputs = Subject::new(SubjectKind::Outputs, build.id);
        if removals::last(tx, &outputs).await?.is_none() {
            return Ok(Reservation::Known(build));
        }
        input = Digest::of_fields([input.to_string(), build.id.to_string()]);
    }
    let Some((nvr, dist)) = reserve_nvr(tx, new).await? else {
        return Ok(Reservation::Taken { nvr: bumped(new, 0).0 });
    };
    let mut build = Build {
        id: new.id,
        number: 0,
        artifact: new.artifact.clone(),
        commit: new.commit.clone(),
        flavour: new.flavour,
        input,
        nvr,
        dist,
        snapshot: new.snapshot,
        inputs: new.inputs,
        attempt: 1,
        state: BuildState::Queued,
        created: new.created,
        version: 1,
    };
    build.number = insert(tx, artifact, &build).await?;
    Ok(Reservation::New(build))
}

async fn insert(tx: &mut Tx, artifact: i64, build: &Build) -> Result<i64> {
    let sql = "INSERT INTO builds (id, artifact, commit_id, flavour, input, name, evr, evr_key, \
               nvr, dist, snapshot, inputs, attempt, state, detail, created, changed, version) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
               $17, $18) RETURNING number";
    let (nvr, state) = (&build.nvr, &build.state);
    let mut values = args![build.id, artifact, &build.commit, build.flavour.as_str(), build.input];
    values.extend(args![&nvr.name, nvr.evr.to_string(), nvr.evr.sort_key(), nvr.to_string()]);
    values.extend(args![build.dist.as_str(), build.snapshot, build.inputs, build.attempt]);
    values.extend(args![state.name(), json(state)?, build.created, build.created, build.version]);
    tx.number("builds", sql, values).await
}

/// The first free NVR and its dist tag; none if there cannot be one.
async fn reserve_nvr(tx: &mut Tx, new: &NewBuild) -> Result<Option<(Nvr, String)>> {
    let base = bumped(new, 0).0.to_string();
    let bumpable = new.evr.release.ends_with(&new.dist) && !new.dist.is_empty();
    let sql = "SELECT count(*) FROM nvr_reservations WHERE base = $1";
    let mut bump = tx.number("nvr_reservations", sql, args![base.as_str()]).await?;
    loop {
        if bump > 0 && !bumpable {
            return Ok(None);
        }
        let (nvr, dist) = bumped(new, bump);
        let sql = "INSERT INTO nvr_reservations (nvr, base, build, at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (nvr) DO NOTHING";
        let values = args![nvr.to_string(), base.as_str(), new.id, new.created];
        if tx.execute(sql, values).await? == 1 {
            return Ok(Some((nvr, dist)));
        }
        // A spec may have spelt out the very release that a bump would give.
        bump += 1;
    }
}

/// The NVR and the dist tag after so many bumps.
fn bumped(new: &NewBuild, bump: i64) -> (Nvr, String) {
    let suffix = if bump == 0 { String::new() } else { format!(".{bump}") };
    let release = format!("{}{suffix}", new.evr.release);
    let nvr = Nvr { name: new.name.clone(), evr: Evr { release, ..new.evr.clone() } };
    (nvr, format!("{}{suffix}", new.dist))
}

/// The build of this artifact, commit and input, if there is one.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn find(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    commit: &CommitId,
    input: Digest,
) -> Result<Option<Build>> {
    let Some(id) = artifacts::find(conn, artifact).await? else { return Ok(None) };
    let sql = select!("WHERE b.artifact = $1 AND b.commit_id = $2 AND b.input = $3");
    conn.row("builds", sql, args![id, commit, input]).await?.map(decode).transpose()
}

/// A build by its id.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get(conn: &mut Conn, id: BuildId) -> Result<Option<Build>> {
    conn.row("builds", select!("WHERE b.id = $1"), args![id]).await?.map(decode).transpose()
}

/// Those builds of `ids` that there are, in the order of asking.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn get_many(conn: &mut Conn, ids: &[BuildId]) -> Result<Vec<Build>> {
    let ids = ids.iter().map(|id| id.bind()).collect();
    let rows = conn.rows_in("builds", select!("WHERE b.id IN ({})"), ids).await?;
    let mut found: Vec<Build> = rows.into_iter().map(decode).collect::<Result<_>>()?;
    found.sort_by_key(|build| build.number);
    Ok(found)
}

/// A build by its public number.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn by_number(conn: &mut Conn, number: i64) -> Result<Option<Build>> {
    let sql = select!("WHERE b.number = $1");
    conn.row("builds", sql, args![number]).await?.map(decode).transpose()
}

/// A build by its NVR.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn by_nvr(conn: &mut Conn, nvr: &str) -> Result<Option<Build>> {
    conn.row("builds", select!("WHERE b.nvr = $1"), args![nvr]).await?.map(decode).transpose()
}

/// The newest builds of an artifact, or of all; in the state of this name, or in any.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn list(
    conn: &mut Conn,
    artifact: Option<&ArtifactKey>,
    state: Option<&str>,
    page: Page,
) -> Result<Vec<Build>> {
    let mut filter = Filter::new("b.number", page);
    if let Some(key) = artifact {
        let Some(id) = artifacts::find(conn, key).await? else { return Ok(Vec::new()) };
        filter.equals("b.artifact", Some(id));
    }
    filter.equals("b.state", state);
    let (sql, values) = filter.query(select!(""), "b.number", page);
    conn.rows("builds", sql, values).await?.into_iter().map(decode).collect()
}

/// The builds that wait for a builder, in the order of asking.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn queued(conn: &mut Conn, limit: u32) -> Result<Vec<Build>> {
    let sql = select!("WHERE b.state = 'queued' ORDER BY b.number LIMIT $1");
    conn.rows("builds", sql, args![limit]).await?.into_iter().map(decode).collect()
}

/// The builds somebody works on.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn running(conn: &mut Conn) -> Result<Vec<Build>> {
    let sql = select!("WHERE b.state = 'running' ORDER BY b.number");
    conn.rows("builds", sql, vec![]).await?.into_iter().map(decode).collect()
}

/// The newest builds that failed in the same way, see `Failure::signature`, and how many there are.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn failed_alike(
    conn: &mut Conn,
    signature: &str,
    limit: u32,
) -> Result<(Vec<Build>, u64)> {
    let sql = select!("WHERE b.signature = $1 ORDER BY b.number DESC LIMIT $2");
    let rows = conn.rows("builds", sql, args![signature, limit]).await?;
    let found = rows.into_iter().map(decode).collect::<Result<_>>()?;
    let sql = "SELECT count(*) FROM builds WHERE signature = $1";
    let count = conn.number("builds", sql, args![signature]).await?;
    Ok((found, u64::try_from(count).unwrap_or(0)))
}

/// The newest build of an artifact that succeeded.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn latest_succeeded(conn: &mut Conn, artifact: &ArtifactKey) -> Result<Option<Build>> {
    let page = Page::first(1);
    Ok(list(conn, Some(artifact), Some("succeeded"), page).await?.into_iter().next())
}

/// The newest build that succeeded of each of these artifacts, in no particular order.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn newest_succeeded(conn: &mut Conn, keys: &[ArtifactKey]) -> Result<Vec<Build>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let select = select!(
        "JOIN (SELECT artifact, max(number) AS number FROM builds WHERE state = 'succeeded' \
         AND artifact IN ({}) GROUP BY artifact) n ON n.number = b.number"
    );
    let ids = ids.values().map(|id| id.bind()).collect();
    conn.rows_in("builds", select, ids).await?.into_iter().map(decode).collect()
}

/// Stores a build's attempt and state, and gives its new version.
///
/// # Errors
/// [`Error::Conflict`] when it is not at `build.version` any more.
pub async fn update(tx: &mut Tx, build: &Build, at: Timestamp) -> Result<i64> {
    let took = match &build.state {
        BuildState::Succeeded { took, .. } => i64::try_from(took.as_micros()).ok(),
        _ => None,
    };
    let signature = match &build.state {
        BuildState::Failed { failure, .. } => Some(failure.signature(build.artifact.name.as_str())),
        _ => None,
    };
    let sql = "UPDATE builds SET attempt = $3, state = $4, detail = $5, took = $6, changed = $7, \
               signature = $8, version = version + 1 WHERE id = $1 AND version = $2";
    let mut values = args![build.id, build.version, build.attempt, build.state.name()];
    values.extend(args![json(&build.state)?, took, at, signature]);
    match tx.execute(sql, values).await? {
        0 => Err(Error::Conflict(format!(
            "build {} is not at version {} any more",
            build.number, build.version
        ))),
        _ => Ok(build.version + 1),
    }
}

/// Gives a queued build to an owner, who is then the only one to report about this attempt.
///
/// # Errors
/// [`Error::Conflict`] when it is not queued any more, or at another attempt.
pub async fn start(tx: &mut Tx, fence: &Fence, at: Timestamp) -> Result<Build> {
    let mut build = fenced(tx, fence).await?;
    let next = BuildState::Running { owner: fence.owner.clone(), since: at };
    if build.state != BuildState::Queued {
        return Err(Error::Conflict(format!(
            "build {} is {}, not queued",
            build.number,
            build.state.name()
        )));
    }
    build.state = next;
    build.version = update(tx, &build, at).await?;
    Ok(build)
}

/// Records how an attempt ended.
///
/// # Errors
/// [`Error::Conflict`] when somebody else owns the build by now, at another attempt, or it cannot become `state`.
pub async fn finish(tx: &mut Tx, fence: &Fence, state: BuildState, at: Timestamp) -> Result<Build> {
    let mut build = fenced(tx, fence).await?;
    if !matches!(&build.state, BuildState::Running { owner, .. } if *owner == fence.owner) {
        return Err(Error::Conflict(format!("build {} is not {}'s", build.number, fence.owner)));
    }
    build.state = build.state.enter(state).map_err(|error| Error::Conflict(error.to_string()))?;
    build.version = update(tx, &build, at).await?;
    if let BuildState::Succeeded { output, .. } = &build.state {
        packages::remember(tx, &build, *output).await?;
    }
    Ok(build)
}

async fn fenced(tx: &mut Tx, fence: &Fence) -> Result<Build> {
    match get(tx, fence.build).await? {
        Some(build) if build.attempt == fence.attempt => Ok(build),
        Some(build) => Err(Error::Conflict(format!(
            "build {} is at attempt {}, not {}",
            build.number, build.attempt, fence.attempt
        ))),
        None => Err(Error::Conflict(format!("there is no build {}", fence.build))),
    }
}

/// How long the last successful builds of an artifact took, the newest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn durations(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    last: u32,
) -> Result<Vec<Duration>> {
    let Some(id) = artifacts::find(conn, artifact).await? else { return Ok(Vec::new()) };
    let sql = "SELECT number, took FROM builds WHERE artifact = $1 AND state = 'succeeded' \
               ORDER BY number DESC LIMIT $2";
    let rows = conn.rows("builds", sql, args![id, last]).await?;
    rows.into_iter()
        .map(|mut row| {
            let _number: i64 = row.take()?;
            row.take()
        })
        .collect()
}

/// For each of these artifacts, the median of how long its last nine successful builds took.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Inconsistent`].
pub async fn median_durations(
    conn: &mut Conn,
    keys: &[ArtifactKey],
) -> Result<BTreeMap<ArtifactKey, Duration>> {
    let ids = artifacts::find_all(conn, &keys.iter().collect()).await?;
    let select = "SELECT r.number, a.kind, a.name, a.branch, r.took FROM \
                  (SELECT number, artifact, took, \
                  row_number() OVER (PARTITION BY artifact ORDER BY number DESC) AS age \
                  FROM builds WHERE state = 'succeeded' AND artifact IN ({})) r \
                  JOIN artifacts a ON a.id = r.artifact WHERE r.age <= 9 \
                  ORDER BY r.artifact, r.took";
    let mut durations: BTreeMap<ArtifactKey, Vec<Duration>> = BTreeMap::new();
    let ids = ids.values().map(|id| id.bind()).collect();
    for mut row in conn.rows_in("builds", select, ids).await? {
        let _number: i64 = row.take()?;
        durations.entry(row.artifact()?).or_default().push(row.take()?);
    }
    // Sorted by the query, so that the middle one is the median.
    let middle = |durations: Vec<Duration>| durations.get(durations.len() / 2).copied();
    Ok(durations.into_iter().filter_map(|(key, all)| Some((key, middle(all)?))).collect())
}

pub(crate) async fn check(conn: &mut Conn) -> Result<()> {
    conn.check_rows("builds", select!(""), "b.number", decode).await
}

fn decode(mut row: Row) -> Result<Build> {
    Ok(Build {
        number: row.take()?,
        id: row.take()?,
        artifact: row.artifact()?,
        commit: row.parse()?,
        flavour: row.word()?,
        input: row.take()?,
        // The text of an NVR lacks the epoch, hence name and EVR.
        nvr: Nvr { name: row.take()?, evr: row.parse()? },
        dist: row.take()?,
        snapshot: row.take()?,
        inputs: row.take()?,
        attempt: row.take()?,
        state: row.state(BuildState::name)?,
        created: row.take()?,
        version: row.take()?,
    })
}
