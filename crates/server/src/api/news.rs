//! Watches the store for changes, one look for everybody who follows them.

use std::sync::Arc;
use std::time::Duration;

use store::Store;
use store::changes::{self, Place};
use tokio::sync::watch;

use crate::context::Wakes;

/// How often it is looked without a hint: other processes give none.
const LOOK: Duration = Duration::from_millis(500);
/// How often at most, however many hints there are.
const PAUSE: Duration = Duration::from_millis(50);
/// How many changes are kept.
const KEPT: u32 = 1_000_000;
/// How many looks lie between two clearings, about an hour.
const CLEAR: u32 = 7_200;

/// The place of the newest change, as long as the server runs.
pub(super) fn watch(
    store: Store,
    wakes: Arc<Wakes>,
    mut stop: watch::Receiver<bool>,
) -> watch::Receiver<Place> {
    let (sender, receiver) = watch::channel(Place::default());
    tokio::spawn(async move {
        let mut looks = 0u32;
        while !*stop.borrow() {
            if looks.is_multiple_of(CLEAR)
                && let Err(error) = clear(&store).await
            {
                tracing::debug!(%error, "could not clear the changes, will try again");
            }
            looks = looks.wrapping_add(1);
            // The API itself has one receiver; nobody is waiting if there is no other.
            if sender.receiver_count() > 1 {
                look(&store, &sender).await;
            }
            tokio::select! {
                () = wakes.news() => tokio::time::sleep(PAUSE).await,
                () = tokio::time::sleep(LOOK) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    });
    receiver
}

async fn look(store: &Store, sender: &watch::Sender<Place>) {
    match newest(store).await {
        Ok(newest) => {
            sender.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        }
        // Whoever follows goes on when the database is back.
        Err(error) => tracing::debug!(%error, "could not look for changes, will look again"),
    }
}

/// The place of the newest change.
pub(super) async fn newest(store: &Store) -> Result<Place, store::Error> {
    changes::newest(&mut *store.read().await?).await
}

async fn clear(store: &Store) -> Result<(), store::Error> {
    let mut tx = store.begin().await?;
    changes::mend(&mut tx).await?;
    changes::forget(&mut tx, KEPT).await?;
    tx.commit().await
}
