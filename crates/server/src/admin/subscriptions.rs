//! Who wants to be told of what, what they were told, and how that went.

use std::collections::BTreeSet;
use std::fmt;

use adapters::delivery::webhook;
use model::notice::{Channel, Delivery, DeliveryState, NoticeKind, Pace, Subscription};
use pipeline::notify::compose;
use serde::Serialize;
use store::{Page, deliveries, notices, subscriptions};
use utoipa::ToSchema;

use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError, tokens};
use crate::config;
use crate::reconcile::notify::told;

/// A wish to be told.
#[derive(Clone, Debug, Default)]
pub struct NewSubscription {
    /// Who.
    pub person: String,
    /// Their address, for mail.
    pub address: Option<String>,
    /// A URL, for webhooks.
    pub webhook: Option<String>,
    /// Globs for artifacts; every artifact if there are none.
    pub artifacts: Vec<String>,
    /// What about; every kind of trouble if there is none.
    pub on: Vec<NoticeKind>,
    /// When.
    pub pace: Pace,
}

/// A subscription as it is shown: without the secret.
#[derive(Clone, Debug, Serialize)]
pub struct SubscriptionView {
    /// Its public number; none for one of the configuration.
    pub number: Option<i64>,
    /// Who.
    pub person: String,
    /// How: `mail to …` or `webhook …`.
    pub channel: String,
    /// Globs for artifacts.
    pub artifacts: Vec<String>,
    /// What about.
    pub on: BTreeSet<NoticeKind>,
    /// When.
    pub digest: Pace,
}

/// Subscriptions, those of the configuration last.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct SubscriptionList(pub Vec<SubscriptionView>);

impl fmt::Display for SubscriptionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no subscriptions");
        }
        let row = |view: &SubscriptionView| {
            let number = view.number.map_or("config".to_owned(), |number| number.to_string());
            let artifacts =
                if view.artifacts.is_empty() { "*".to_owned() } else { view.artifacts.join(",") };
            let on: Vec<&str> = view.on.iter().map(|kind| kind.as_str()).collect();
            [
                number,
                view.person.clone(),
                view.channel.clone(),
                artifacts,
                view.digest.to_string(),
                on.join(","),
            ]
        };
        let header = ["NUMBER", "PERSON", "CHANNEL", "ARTIFACTS", "DIGEST", "ON"];
        Table::of(header, self.0.iter().map(row)).fmt(f)
    }
}

/// A subscription that was made just now.
#[derive(Clone, Debug, Serialize)]
pub struct MadeSubscription {
    /// The subscription.
    #[serde(flatten)]
    pub subscription: SubscriptionView,
    /// The secret that its requests are signed with, which nobody can show again.
    pub secret: Option<String>,
}

impl fmt::Display for MadeSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SubscriptionView { number, person, channel, .. } = &self.subscription;
        writeln!(f, "subscription {}: {person}, {channel}", number.unwrap_or_default())?;
        match &self.secret {
            Some(secret) => writeln!(f, "requests are signed with {secret}"),
            None => Ok(()),
        }
    }
}

/// That a subscription is no more.
#[derive(Clone, Debug, Serialize)]
pub struct RemovedSubscription {
    /// Its public number.
    pub number: i64,
}

impl fmt::Display for RemovedSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "subscription {} is removed", self.number)
    }
}

/// A notice that went out.
#[derive(Clone, Debug, Serialize)]
pub struct NoticeView {
    /// Its public number.
    pub number: i64,
    /// When it came up.
    pub time: Moment,
    /// What it is about.
    pub kind: NoticeKind,
    /// Its title.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// How many were told.
    pub told: usize,
}

/// Notices, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct NoticeList(pub Vec<NoticeView>);

impl fmt::Display for NoticeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no notices");
        }
        let row = |notice: &NoticeView| {
            [
                notice.number.to_string(),
                notice.time.to_string(),
                notice.kind.to_string(),
                notice.told.to_string(),
                notice.subject.clone(),
            ]
        };
        Table::of(["NUMBER", "TIME", "KIND", "TOLD", "WHAT"], self.0.iter().map(row)).fmt(f)
    }
}

/// Word that did not reach somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Undelivered {
    /// Who.
    pub person: String,
    /// How it was tried: by `mail` or `webhook`. Anybody may see this, so neither address nor URL are told.
    pub channel: &'static str,
    /// How often.
    pub attempts: u32,
    /// What went wrong the last time.
    pub problem: String,
    /// When it is tried again; none if it is given up.
    pub again: Option<Moment>,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, channel, attempts, problem, again } = self;
        write!(f, "{person}, {channel}: {problem} (attempt {attempts}, ")?;
        match again {
            Some(again) => write!(f, "again at {again})"),
            None => f.write_str("given up)"),
        }
    }
}

impl From<Delivery> for Undelivered {
    fn from(delivery: Delivery) -> Self {
        let (problem, again) = match delivery.state {
            DeliveryState::Retrying { problem } => (problem, Some(Moment(delivery.due))),
            DeliveryState::GivenUp { problem, .. } => (problem, None),
            DeliveryState::Waiting | DeliveryState::Sent { .. } => (String::new(), None),
        };
        Self {
            person: delivery.person,
            channel: delivery.channel.kind(),
            attempts: delivery.attempts,
            problem,
            again,
        }
    }
}

fn view(number: Option<i64>, subscription: Subscription) -> SubscriptionView {
    let Subscription { person, channel, artifacts, on, pace } = subscription;
    SubscriptionView { number, person, channel: channel.to_string(), artifacts, on, digest: pace }
}

impl Admin {
    /// Stores a wish to be told.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is no way to tell them.
    pub async fn subscribe(&self, new: NewSubscription) -> Result<MadeSubscription, AdminError> {
        let NewSubscription { person, address, webhook, artifacts, on, pace } = new;
        let secret = match &webhook {
            Some(_) => Some(webhook::secret(&tokens::random()?)),
            None => None,
        };
        let channel = config::channel(&person, address, webhook.zip(secret.clone()));
        let channel: Channel = channel.map_err(AdminError::Input)?;
        let on = if on.is_empty() { config::usual_kinds() } else { on.into_iter().collect() };
        let subscription = Subscription { person, channel, artifacts, on, pace };
        let number = self
            .write(async |tx| Ok(subscriptions::insert(tx, &subscription, self.now()).await?))
            .await?;
        Ok(MadeSubscription { subscription: view(Some(number), subscription), secret })
    }

    /// Every subscription, of the store and of the configuration.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn subscriptions(&self) -> Result<SubscriptionList, AdminError> {
        let stored = subscriptions::list(&mut *self.store.read().await?).await?;
        let stored = stored.into_iter().map(|entry| view(Some(entry.number), entry.subscription));
        let configured = &self.config.notify.subscriptions;
        let configured = configured.iter().map(|entry| view(None, entry.0.clone()));
        Ok(SubscriptionList(stored.chain(configured).collect()))
    }

    /// Forgets a wish.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is none of this number.
    pub async fn unsubscribe(&self, number: i64) -> Result<RemovedSubscription, AdminError> {
        self.write(async |tx| {
            if !subscriptions::list(tx).await?.iter().any(|entry| entry.number == number) {
                return Err(AdminError::Input(format!(
                    "there is no subscription {number}: `millstream subscribe list` shows those there are"
                )));
            }
            Ok(subscriptions::remove(tx, number).await?)
        })
        .await?;
        Ok(RemovedSubscription { number })
    }

    /// The newest notices that went out.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn notices(
        &self,
        kind: Option<NoticeKind>,
        limit: u32,
    ) -> Result<NoticeList, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let base = self.config.base_url();
        let mut list = Vec::new();
        for found in notices::list(&mut reader, kind, Page::first(limit)).await? {
            let told = deliveries::of_notice(&mut reader, found.notice.id).await?.len();
            let (time, kind) = (Moment(found.notice.opened), found.notice.kind);
            let text = compose(&[told::about(&mut reader, found.notice).await?], &base);
            let (subject, text) = (text.subject, text.body);
            list.push(NoticeView { number: found.number, time, kind, subject, text, told });
        }
        Ok(NoticeList(list))
    }
}
