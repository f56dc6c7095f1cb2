//! The loop every stage runs in: look, decide, remember, act; woken by a hint or by time.
//!
//! A stage takes no input. It reads what is stored, so it can be killed at any line and run again.

pub(crate) mod scan;
pub(crate) mod timer;

pub(crate) mod intake;

pub(crate) mod plan;

pub(crate) mod fate;

pub(crate) mod schedule;

pub(crate) mod build;

pub(crate) mod test;

pub(crate) mod gate;

pub(crate) mod publish;

pub(crate) mod outbox;

pub(crate) mod shadow;

pub(crate) mod notify;

pub(crate) mod retain;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::artifact::InvalidName;
use store::leases::Lease;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::context::Context;

/// A stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Compares the dist-git's refs with those that are remembered.
    Scan,
    /// Says when the time of a rule has come.
    Timer,
    /// Turns messages into events.
    Intake,
    /// Answers events with plans.
    Plan,
    /// Decides what each step does about what its dependencies changed.
    Fate,
    /// Resolves what may start and queues it.
    Schedule,
    /// Runs builds.
    Build,
    /// Runs tests.
    Test,
    /// Opens and holds.
    Gate,
    /// Switches the published repository.
    Publish,
    /// Tells the world.
    Outbox,
    /// Reports what shadow mode would have done.
    Shadow,
    /// Tells people.
    Notify,
    /// Removes what is not kept any more.
    Retain,
}

impl Stage {
    /// Every stage, in the order of the pipeline.
    pub const ALL: [Self; 14] = [
        Self::Scan,
        Self::Timer,
        Self::Intake,
        Self::Plan,
        Self::Fate,
        Self::Schedule,
        Self::Build,
        Self::Test,
        Self::Gate,
        Self::Publish,
        Self::Outbox,
        Self::Shadow,
        Self::Notify,
        Self::Retain,
    ];

    /// Its name, as `--role` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Timer => "timer",
            Self::Intake => "intake",
            Self::Plan => "plan",
            Self::Fate => "fate",
            Self::Schedule => "schedule",
            Self::Build => "build",
            Self::Test => "test",
            Self::Gate => "gate",
            Self::Publish => "publish",
            Self::Outbox => "outbox",
            Self::Shadow => "shadow",
            Self::Notify => "notify",
            Self::Retain => "retain",
        }
    }

    /// Whether it does anything but listen, plan and tell: in shadow mode it does not run.
    pub(crate) fn acts(self) -> bool {
        match self {
            Self::Scan | Self::Timer | Self::Intake | Self::Plan | Self::Shadow | Self::Notify => {
                false
            }
            Self::Fate
            | Self::Schedule
            | Self::Build
            | Self::Test
            | Self::Gate
            | Self::Publish
            | Self::Outbox
            | Self::Retain => true,
        }
    }

    /// Builders and testers share the work item by item; of every other stage one process is enough.
    fn is_shared(self) -> bool {
        matches!(self, Self::Build | Self::Test)
    }
}

impl FromStr for Stage {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or_else(|| InvalidName {
            what: "role",
            text: text.to_owned(),
            expected: "scan, timer, intake, plan, fate, schedule, build, test, gate, publish, outbox, shadow, notify or retain",
        })
    }
}

/// What a look brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Something was done: look again at once.
    Busy,
    /// Nothing is to be done now.
    Idle,
}

/// Why a stage could not go on. It looks again later; nothing is lost meanwhile.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// The database refused or is away.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// An outside program or the disk failed.
    #[error("{0}")]
    Outside(String),
}

impl StageError {
    pub(crate) fn outside(error: impl std::fmt::Display) -> Self {
        Self::Outside(error.to_string())
    }
}

/// A stage's lease, kept by a task of its own as long as the value lives: a look may take longer than a lease lasts.
struct Held {
    lease: Lease,
    lost: Arc<AtomicBool>,
    keeper: AbortHandle,
}

impl Held {
    fn keep(context: &Arc<Context>, lease: Lease) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let keeper = tokio::spawn(keep(Arc::clone(context), lease.clone(), Arc::clone(&lost)));
        Self { lease, lost, keeper: keeper.abort_handle() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Renews a lease until somebody else has it. That the store is away is no loss: nobody else can take it meanwhile.
async fn keep(context: Arc<Context>, lease: Lease, lost: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(LEASE / 4).await;
        match context.renew(&lease, LEASE).await {
            Ok(true) => {}
            Ok(false) => return lost.store(true, Ordering::Release),
            Err(error) => {
                tracing::debug!(lease = lease.name, %error, "could not be renewed, will try again");
            }
        }
    }
}

/// How long a stage's lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(10);

/// Runs one stage until told to stop.
pub(crate) async fn run(stage: Stage, context: Arc<Context>, mut stop: watch::Receiver<bool>) {
    let mut lease = None;
    let mut failures = 0u32;
    while !*stop.borrow() {
        let pause = match look(stage, &context, &mut lease).await {
            Ok(Outcome::Busy) => {
                failures = 0;
                continue;
            }
            Ok(Outcome::Idle) => {
                failures = 0;
                context.config.poll_seconds
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::warn!(stage = stage.as_str(), %error, failures, "could not go on, will look again");
                Duration::from_millis(200).saturating_mul(1 << failures.min(6))
            }
        };
        tokio::select! {
            () = context.wakes.wait(stage), if failures == 0 => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
    if let Some(held) = lease
        && let Err(error) = context.give_back(&held.lease).await
    {
        tracing::warn!(stage = stage.as_str(), %error, "could not give the lease back, it will expire");
    }
}

/// One look, under the stage's lease.
async fn look(
    stage: Stage,
    context: &Arc<Context>,
    lease: &mut Option<Held>,
) -> Result<Outcome, StageError> {
    if !stage.is_shared() && !hold(stage, context, lease).await? {
        return Ok(Outcome::Idle);
    }
    let fence = lease.as_ref().map(|held| &held.lease);
    match (stage, fence) {
        (Stage::Build, _) => build::look(context).await,
        (Stage::Test, _) => test::look(context).await,
        (Stage::Scan, Some(lease)) => scan::look(context, lease).await,
        (Stage::Timer, Some(lease)) => timer::look(context, lease).await,
        (Stage::Intake, Some(lease)) => intake::look(context, lease).await,
        (Stage::Plan, Some(lease)) => plan::look(context, lease).await,
        (Stage::Fate, Some(lease)) => fate::look(context, lease).await,
        (Stage::Schedule, Some(lease)) => schedule::look(context, lease).await,
        (Stage::Gate, Some(lease)) => gate::look(context, lease).await,
        (Stage::Publish, Some(lease)) => publish::look(context, lease).await,
        (Stage::Outbox, Some(lease)) => outbox::look(context, lease).await,
        (Stage::Shadow, Some(lease)) => shadow::look(context, lease).await,
        (Stage::Notify, Some(lease)) => notify::look(context, lease).await,
        (Stage::Retain, Some(lease)) => retain::look(context, lease).await,
        (_, None) => Ok(Outcome::Idle),
    }
}

/// Takes the stage's lease, unless it is held already; false if another process has it.
async fn hold(
    stage: Stage,
    context: &Arc<Context>,
    lease: &mut Option<Held>,
) -> Result<bool, StageError> {
    if lease.as_ref().is_some_and(|held| !held.lost.load(Ordering::Acquire)) {
        return Ok(true);
    }
    *lease = None;
    let name = format!("stage:{}", stage.as_str());
    let mut acquired = context.acquire(&name, LEASE).await?;
    // Whoever has it may be gone, which is known at once; the lease itself tells only when it ends.
    if acquired.is_none() && context.give_back_of_the_dead().await? {
        acquired = context.acquire(&name, LEASE).await?;
    }
    *lease = acquired.map(|lease| Held::keep(context, lease));
    Ok(lease.is_some())
}
