//! Events as they are listed and shown, and messages that people send.

use std::fmt;

use model::artifact::ArtifactKey;
use model::event::{Event, EventState, RecordedEvent, Request, Severity};
use model::message::{InboxState, Message};
use pipeline::intake;
use serde::Serialize;
use store::decisions::{self, DecisionFilter};
use store::events::EventFilter;
use store::inbox::{self, Entry, Receipt};
use store::{Page, events, plans};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ledger::{self, DecisionView};
use super::signature::signed;
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};
use crate::clock::mint;

/// An event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Its public number.
    pub number: i64,
    /// When it was recorded.
    pub time: Moment,
    /// About which artifact.
    pub artifact: ArtifactKey,
    /// What became of it.
    pub state: EventState,
    /// What happened, as a sentence.
    pub sentence: String,
    /// What happened, as data.
    pub event: Event,
}

impl From<RecordedEvent> for EventView {
    fn from(recorded: RecordedEvent) -> Self {
        Self {
            number: recorded.number,
            time: Moment(recorded.at),
            artifact: recorded.event.artifact().clone(),
            state: recorded.state,
            sentence: recorded.event.to_string(),
            event: recorded.event,
        }
    }
}

impl fmt::Display for EventView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}, {}: {}", self.number, self.time, self.sentence)
    }
}

/// Events, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct EventList(pub Vec<EventView>);

impl fmt::Display for EventList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no events");
        }
        let row = |event: &EventView| {
            [
                event.number.to_string(),
                event.time.to_string(),
                event.state.as_str().to_owned(),
                event.sentence.clone(),
            ]
        };
        Table::of(["NUMBER", "TIME", "STATE", "EVENT"], self.0.iter().map(row)).fmt(f)
    }
}

/// One event with everything that followed from it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventDetail {
    /// The event.
    #[serde(flatten)]
    pub event: EventView,
    /// The public numbers of the plans that answer it.
    pub plans: Vec<i64>,
    /// The decisions taken on its account, in their order.
    pub decisions: Vec<DecisionView>,
}

impl fmt::Display for EventDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.event)?;
        let plans: Vec<String> = self.plans.iter().map(i64::to_string).collect();
        let answer = if plans.is_empty() { "none".to_owned() } else { plans.join(", ") };
        writeln!(f, "state {}, plans: {answer}", self.event.state.as_str())?;
        for decision in &self.decisions {
            let about = decision
                .artifact
                .as_ref()
                .map(|artifact| format!("{artifact}: "))
                .unwrap_or_default();
            writeln!(f, "  {}  {about}{}", decision.time, decision.sentence)?;
        }
        Ok(())
    }
}

/// A message that could not be read.
#[derive(Clone, Debug, Serialize)]
pub struct RejectedMessage {
    /// The sender's id.
    pub id: String,
    /// When it came.
    pub time: Moment,
    /// Its topic.
    pub topic: String,
    /// Where in it the trouble is.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
    /// The body as received.
    pub body: String,
}

/// Messages that could not be read, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RejectedMessages(pub Vec<RejectedMessage>);

impl fmt::Display for RejectedMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no rejected messages");
        }
        let row = |message: &RejectedMessage| {
            let RejectedMessage { id, time, topic, place, reason, .. } = message.clone();
            [time.to_string(), id, topic, format!("{place}: {reason}")]
        };
        Table::of(["TIME", "MESSAGE", "TOPIC", "PROBLEM"], self.0.iter().map(row)).fmt(f)
    }
}

/// That a message is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentMessage {
    /// Its id.
    pub id: String,
    /// Whether one with this id was stored before: then nothing changed.
    pub duplicate: bool,
}

impl fmt::Display for SentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.duplicate {
            true => writeln!(f, "message {} is known, nothing changed", self.id),
            false => writeln!(f, "message {} is stored", self.id),
        }
    }
}

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// What to do with it.
    pub request: Request,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How urgent it is.
    pub severity: Severity,
}

impl Asked {
    /// The message it is sent as.
    pub(crate) fn message(&self) -> Message {
        let body = serde_json::json!({
            "artifact": self.artifact,
            "request": self.request,
            "by": self.by,
            "reason": self.reason,
            "severity": self.severity,
        });
        Message { id: new_id(), topic: intake::request::TOPIC.to_owned(), body: body.to_string() }
    }
}

/// An id for a message that has none.
pub(crate) fn new_id() -> String {
    let id: Uuid = mint();
    format!("cli:{id}")
}

impl Admin {
    /// The newest events.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn events(
        &self,
        wanted: &EventFilter,
        page: impl Into<Page>,
    ) -> Result<EventList, AdminError> {
        let found = events::list(&mut *self.store.read().await?, wanted, page.into()).await?;
        Ok(EventList(found.into_iter().map(EventView::from).collect()))
    }

    /// One event with everything that followed from it.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number.
    pub async fn event(&self, number: i64) -> Result<EventDetail, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let recorded =
            events::by_number(&mut reader, number).await?.ok_or_else(|| no_event(number))?;
        let plans = plans::answering(&mut reader, recorded.id).await?;
        let filter = DecisionFilter { event: Some(recorded.id), ..DecisionFilter::default() };
        let mut found = decisions::list(&mut reader, &filter, Page::first(1000)).await?;
        found.reverse();
        Ok(EventDetail {
            plans: plans.iter().map(|plan| plan.number).collect(),
            decisions: ledger::views(&mut reader, found).await?,
            event: recorded.into(),
        })
    }

    /// The newest messages that could not be read.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn rejected_messages(&self, limit: u32) -> Result<RejectedMessages, AdminError> {
        let found =
            inbox::list(&mut *self.store.read().await?, Some("rejected"), Page::first(limit))
                .await?;
        Ok(RejectedMessages(found.into_iter().filter_map(rejected).collect()))
    }

    /// Sends a request as a message.
    ///
    /// # Errors
    /// [`AdminError::Input`] when nobody signs it or nothing is known of the artifact.
    pub async fn ask(&self, asked: &Asked) -> Result<SentMessage, AdminError> {
        signed(&asked.by, &asked.reason)?;
        self.known_artifact(&asked.artifact).await?;
        self.send(asked.message()).await
    }

    /// Stores a message, unless its id is known. One that cannot be read is refused: its sender sits at the keyboard.
    ///
    /// # Errors
    /// [`AdminError::Input`] with the place in the message.
    pub async fn send(&self, mut message: Message) -> Result<SentMessage, AdminError> {
        if message.id.is_empty() {
            message.id = new_id();
        }
        intake::read(&message.topic, &message.body).map_err(AdminError::input)?;
        let receipt =
            self.write(async |tx| Ok(inbox::receive(tx, &message, self.now()).await?)).await?;
        Ok(SentMessage { id: message.id, duplicate: receipt == Receipt::Duplicate })
    }
}

pub(crate) fn no_event(number: i64) -> AdminError {
    AdminError::NotFound(format!(
        "there is no event {number}: `millstream event list` shows those there are"
    ))
}

fn rejected(entry: Entry) -> Option<RejectedMessage> {
    let Message { id, topic, body } = entry.received.message;
    match entry.received.state {
        InboxState::Rejected { place, reason } => Some(RejectedMessage {
            id,
            time: Moment(entry.received.at),
            topic,
            place,
            reason,
            body,
        }),
        _ => None,
    }
}
