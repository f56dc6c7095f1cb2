//! Group commit: messages that come at the same time are stored by one transaction, with who sent them, and each sender
//! is answered after it.

use std::sync::Arc;

use model::message::{InboxState, Received};
use store::Store;
use store::audit::{self, AuditEntry};
use store::inbox::{self, Receipt};
use tokio::sync::{mpsc, oneshot};

use crate::api::problem::{Kind, Problem};
use crate::context::Wakes;
use crate::reconcile::Stage;

/// How many messages one transaction stores at most.
const AT_ONCE: usize = 256;

type Answer = Result<Receipt, store::Error>;
type Order = (Received, AuditEntry, oneshot::Sender<Answer>);

/// Takes messages to be stored.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Order>);

/// Starts storing.
pub(crate) fn start(store: Store, wakes: Arc<Wakes>) -> Writer {
    let (sender, mut receiver) = mpsc::channel(4 * AT_ONCE);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while receiver.recv_many(&mut batch, AT_ONCE).await > 0 {
            let mut messages = Vec::with_capacity(batch.len());
            let mut entries = Vec::with_capacity(batch.len());
            let mut senders = Vec::with_capacity(batch.len());
            for (message, entry, sender) in batch.drain(..) {
                messages.push(message);
                entries.push(entry);
                senders.push(sender);
            }
            let answers = store_all(&store, &messages, entries).await;
            wakes.wake(Stage::Intake);
            answer(senders, answers);
        }
    });
    Writer(sender)
}

impl Writer {
    /// Stores a message; the answer comes after the commit.
    pub(crate) async fn write(
        &self,
        message: model::message::Message,
        entry: AuditEntry,
    ) -> Result<Receipt, Problem> {
        let gone = || Problem::new(Kind::Unavailable, "the server is stopping");
        let received = Received { message, at: entry.at, state: InboxState::Received };
        let (sender, answer) = oneshot::channel();
        self.0.send((received, entry, sender)).await.map_err(|_| gone())?;
        Ok(answer.await.map_err(|_| gone())??)
    }
}

/// The HTTP status that a receipt is answered with.
pub(crate) fn status(receipt: Receipt) -> axum::http::StatusCode {
    match receipt {
        Receipt::Inserted => axum::http::StatusCode::ACCEPTED,
        Receipt::Duplicate => axum::http::StatusCode::OK,
    }
}

async fn store_all(
    store: &Store,
    messages: &[Received],
    mut entries: Vec<AuditEntry>,
) -> Result<Vec<Receipt>, store::Error> {
    let mut tx = store.begin().await?;
    let receipts = inbox::receive_many(&mut tx, messages).await?;
    for (entry, receipt) in entries.iter_mut().zip(&receipts) {
        entry.status = Some(u32::from(status(*receipt).as_u16()));
    }
    audit::append_many(&mut tx, &entries).await?;
    tx.commit().await?;
    Ok(receipts)
}

fn answer(senders: Vec<oneshot::Sender<Answer>>, answers: Result<Vec<Receipt>, store::Error>) {
    match answers {
        // A sender that hung up has no need of an answer.
        Ok(receipts) => senders.into_iter().zip(receipts).for_each(|(sender, receipt)| {
            let _ = sender.send(Ok(receipt));
        }),
        Err(error) => senders.into_iter().for_each(|sender| {
            let _ = sender.send(Err(error.clone()));
        }),
    }
}
