//! Complete notices and wishes -> deliveries.

use model::id::DeliveryId;
use model::notice::{Channel, Delivery, DeliveryState, Notice, NoticeKind, Pace, Subscription};
use pipeline::notify::{is_due, next_digest, recipients};
use pipeline::plan::report::{self, PlanState};
use store::{Conn, Tx, deliveries, notices, plans, steps, subscriptions};

use super::told;
use crate::clock::mint;
use crate::config::Config;
use crate::reconcile::StageError;
use crate::records::Records;

/// Decides for every notice that is complete who is told, and records both at once.
pub(super) async fn tell(records: &Records<'_>) -> Result<(), StageError> {
    let untold = notices::untold(&mut *records.store.read().await?).await?;
    for notice in untold {
        if is_complete(records, &notice).await? {
            dispatch(records, notice).await?;
        }
    }
    Ok(())
}

async fn is_complete(records: &Records<'_>, notice: &Notice) -> Result<bool, StageError> {
    let (now, patience) = (records.now(), records.config.notify.patience());
    // Whether its plan is at rest takes a look at every step, so it is asked only if it matters.
    if is_due(notice, now, patience, || false) {
        return Ok(true);
    }
    if !is_due(notice, now, patience, || true) {
        return Ok(false);
    }
    let Some(plan) = notice.plan else { return Ok(true) };
    let mut reader = records.store.read().await?;
    let Some(head) = plans::head(&mut reader, plan).await? else { return Ok(true) };
    let steps = steps::of_plan(&mut reader, plan).await?;
    Ok(report::state(head.kind, &steps) != PlanState::Running)
}

async fn dispatch(records: &Records<'_>, notice: Notice) -> Result<(), StageError> {
    let now = records.now();
    let mut tx = records.begin().await?;
    // Nobody need know of a trouble that was over before it was told.
    let is_over =
        notice.kind.is_trouble() && notice.members.iter().all(|member| member.ended.is_some());
    let wanted = match notice.about {
        _ if is_over => Vec::new(),
        Some(_) => followers(&mut tx, &notice).await?,
        None => wishes(&mut tx, records.config, &notice).await?,
    };
    notices::put(&mut tx, &Notice { told: Some(now), ..notice.clone() }).await?;
    for address in wanted {
        deliver(records, &mut tx, &notice, address).await?;
    }
    Ok(tx.commit().await?)
}

/// To whom a notice goes, how, and what it follows up.
struct Address {
    person: String,
    channel: Channel,
    pace: Pace,
    follows: Option<DeliveryId>,
}

/// Every wish there is, in the store and in the configuration.
pub(crate) async fn all_wishes(
    conn: &mut Conn,
    config: &Config,
) -> Result<Vec<Subscription>, store::Error> {
    let stored = subscriptions::list(conn).await?.into_iter().map(|stored| stored.subscription);
    let configured = config.notify.subscriptions.iter().map(|subscribed| subscribed.0.clone());
    Ok(stored.chain(configured).collect())
}

/// Those who wish to be told of it.
async fn wishes(
    conn: &mut Conn,
    config: &Config,
    notice: &Notice,
) -> Result<Vec<Address>, store::Error> {
    let all = all_wishes(conn, config).await?;
    let cause = told::about(conn, notice.clone()).await?.cause;
    let chosen = recipients(&all, notice, cause.as_ref().map(|cause| &cause.artifact));
    let address = |wish: &Subscription| Address {
        person: wish.person.clone(),
        channel: wish.channel.clone(),
        pace: wish.pace,
        follows: None,
    };
    Ok(chosen.into_iter().map(address).collect())
}

/// Those who were told, or will be, of the trouble that a notice takes back. A digest that has not gone out yet says so
/// itself.
async fn followers(conn: &mut Conn, notice: &Notice) -> Result<Vec<Address>, store::Error> {
    let Some(about) = notice.about.filter(|_| notice.kind == NoticeKind::Fixed) else {
        return Ok(Vec::new());
    };
    let earlier = deliveries::of_notice(conn, about).await?;
    let follow = |earlier: Delivery| Address {
        person: earlier.person,
        channel: earlier.channel,
        pace: earlier.pace,
        follows: Some(earlier.id),
    };
    let waits =
        |earlier: &Delivery| earlier.pace == Pace::Daily && earlier.state == DeliveryState::Waiting;
    Ok(earlier.into_iter().filter(|earlier| !waits(earlier)).map(follow).collect())
}

async fn deliver(
    records: &Records<'_>,
    tx: &mut Tx,
    notice: &Notice,
    address: Address,
) -> Result<(), StageError> {
    let now = records.now();
    let Address { person, channel, pace, follows } = address;
    let due = match pace {
        Pace::Immediate => now,
        Pace::Daily => next_digest(now, records.config.notify.digest_hour),
    };
    if pace == Pace::Daily
        && let Some(digest) = deliveries::waiting(tx, &person, &channel, due).await?
    {
        return Ok(deliveries::join(tx, digest.id, notice.id).await?);
    }
    let delivery = Delivery {
        id: mint(),
        person,
        channel,
        pace,
        // A digest follows up several things, so none of them.
        follows: follows.filter(|_| pace == Pace::Immediate),
        due,
        attempts: 0,
        state: DeliveryState::Waiting,
    };
    Ok(deliveries::insert(tx, &delivery, notice.id, now).await?)
}
