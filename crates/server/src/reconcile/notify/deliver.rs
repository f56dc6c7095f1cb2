//! Deliveries that are due -> mail and requests, and how each went.

use adapters::delivery::Undelivered;
use adapters::delivery::mail::{self, Mail, Server};
use adapters::delivery::webhook::{self, Webhook};
use model::clock::Timestamp;
use model::notice::{Channel, Delivery, DeliveryState, NoticeKind};
use pipeline::notify::{Told, backoff, compose};
use serde_json::{Value, json};
use store::{Conn, deliveries};
use tokio::task::JoinSet;

use super::told;
use crate::admin::time::Moment;
use crate::reconcile::StageError;
use crate::records::Records;

/// How many are under way at once.
const AT_ONCE: u32 = 16;

/// Sends what is due; true if there was anything.
pub(super) async fn send(records: &Records<'_>) -> Result<bool, StageError> {
    let now = records.now();
    let mut reader = records.store.read().await?;
    let due = deliveries::due(&mut reader, now, AT_ONCE).await?;
    let mut under_way = JoinSet::new();
    for delivery in due {
        let told = told_by(&mut reader, &delivery).await?;
        let letter = letter(records, &delivery, &told, now);
        under_way.spawn(async move { (delivery, letter.send().await) });
    }
    drop(reader);
    let mut any = false;
    while let Some(ended) = under_way.join_next().await {
        let (delivery, went) = ended.map_err(StageError::outside)?;
        record(records, delivery, went).await?;
        any = true;
    }
    Ok(any)
}

async fn told_by(conn: &mut Conn, delivery: &Delivery) -> Result<Vec<Told>, store::Error> {
    let mut told = Vec::new();
    for notice in deliveries::notices_of(conn, delivery.id).await? {
        told.push(told::about(conn, notice).await?);
    }
    Ok(told)
}

async fn record(
    records: &Records<'_>,
    delivery: Delivery,
    went: Result<(), Undelivered>,
) -> Result<(), StageError> {
    let now = records.now();
    let attempts = delivery.attempts + 1;
    let (state, due) = match went {
        Ok(()) => (DeliveryState::Sent { at: now }, delivery.due),
        Err(Undelivered { problem, for_good }) => {
            let (person, channel) = (&delivery.person, &delivery.channel);
            tracing::warn!(person, %channel, attempts, problem, "could not deliver a notice");
            match backoff(attempts).filter(|_| !for_good) {
                Some(wait) => (DeliveryState::Retrying { problem }, now + wait),
                None => (DeliveryState::GivenUp { at: now, problem }, delivery.due),
            }
        }
    };
    let mut tx = records.begin().await?;
    deliveries::update(&mut tx, &Delivery { attempts, state, due, ..delivery }).await?;
    Ok(tx.commit().await?)
}

/// What goes out, ready to be sent.
enum Letter {
    Mail(Server, Mail),
    Webhook(Webhook),
}

impl Letter {
    async fn send(self) -> Result<(), Undelivered> {
        match self {
            Self::Mail(server, mail) => mail::send(&server, &mail).await,
            Self::Webhook(request) => webhook::post(&request).await,
        }
    }
}

fn letter(records: &Records<'_>, delivery: &Delivery, told: &[Told], now: Timestamp) -> Letter {
    let base = records.config.base_url();
    let text = compose(told, &base);
    let id = delivery.id.to_string();
    match &delivery.channel {
        Channel::Mail { address } => {
            let newest = told.iter().map(|told| told.notice.told.unwrap_or(now)).max();
            let mail = Mail {
                id,
                follows: delivery.follows.map(|follows| follows.to_string()),
                to: address.clone(),
                at: newest.unwrap_or(now),
                subject: text.subject,
                body: format!("{}\n-- \nMillstream, for {}\n", text.body, delivery.person),
            };
            Letter::Mail(records.config.notify.mail.server(), mail)
        }
        Channel::Webhook { url, secret } => {
            let data = json!({
                "person": delivery.person,
                "subject": text.subject,
                "text": text.body,
                "notices": told.iter().map(|told| view(told, &base)).collect::<Vec<_>>(),
            });
            let kind = match told {
                [one] => one.notice.kind.as_str(),
                _ => "digest",
            };
            let body =
                json!({ "type": format!("notice.{kind}"), "timestamp": Moment(now), "data": data });
            Letter::Webhook(Webhook {
                url: url.clone(),
                secret: secret.clone(),
                id,
                at: now,
                body: body.to_string(),
                private_addresses: records.config.notify.webhooks.private_addresses,
            })
        }
    }
}

/// A notice as programs read it.
fn view(told: &Told, base: &str) -> Value {
    let Told { notice, cause, plan } = told;
    let members: Vec<Value> = (notice.members.iter())
        .map(|member| {
            json!({
                "artifact": member.artifact,
                "sentence": member.sentence,
                "at": Moment(member.at),
                "ended": member.ended,
            })
        })
        .collect();
    json!({
        "id": notice.id,
        "kind": notice.kind,
        "opened": Moment(notice.opened),
        "takes_back": notice.about.filter(|_| notice.kind == NoticeKind::Fixed),
        "cause": cause.as_ref().map(|cause| json!({
            "event": cause.number,
            "artifact": cause.artifact,
            "sentence": cause.sentence,
        })),
        "plan": plan,
        "page": plan.map(|plan| format!("{base}/plans/{plan}")),
        "artifacts": members,
        "text": notice.text,
    })
}
