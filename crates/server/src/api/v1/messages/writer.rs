//! Group commit: messages that come at the same time are stored by one transaction, and each sender is answered after it.

use std::sync::Arc;

use axum::http::StatusCode;
use model::message::{InboxState, Message, Received};
use store::inbox::{self, Receipt};
use tokio::sync::{mpsc, oneshot};

use crate::api::problem::Problem;
use crate::context::Context;
use crate::reconcile::Stage;

/// How many messages one transaction stores at most.
const AT_ONCE: usize = 256;

type Answer = Result<Receipt, store::Error>;

/// Takes messages to be stored.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<(Message, oneshot::Sender<Answer>)>);

/// Starts storing.
pub(crate) fn start(context: Arc<Context>) -> Writer {
    let (sender, mut receiver) = mpsc::channel(4 * AT_ONCE);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while receiver.recv_many(&mut batch, AT_ONCE).await > 0 {
            let (messages, senders): (Vec<Message>, Vec<oneshot::Sender<Answer>>) =
                batch.drain(..).unzip();
            let answers = store_all(&context, messages).await;
            context.wakes.wake(Stage::Intake);
            answer(senders, answers);
        }
    });
    Writer(sender)
}

impl Writer {
    /// Stores a message; the answer comes after the commit.
    pub(crate) async fn write(&self, message: Message) -> Result<Receipt, Problem> {
        let gone = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
        let (sender, answer) = oneshot::channel();
        self.0.send((message, sender)).await.map_err(|_| gone())?;
        Ok(answer.await.map_err(|_| gone())??)
    }
}

async fn store_all(
    context: &Context,
    messages: Vec<Message>,
) -> Result<Vec<Receipt>, store::Error> {
    let at = context.clock.now();
    let received: Vec<Received> = messages
        .into_iter()
        .map(|message| Received { message, at, state: InboxState::Received })
        .collect();
    let mut tx = context.store.begin().await?;
    let receipts = inbox::receive_many(&mut tx, &received).await?;
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
