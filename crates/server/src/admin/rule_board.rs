//! Rules with what they matched lately.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::rule::RuleId;
use pipeline::rules::explain::answered;
use serde::Serialize;
use store::events::EventFilter;
use store::{Page, events};

use super::events::EventView;
use super::rules::{RuleView, view};
use super::{Admin, AdminError};
use crate::context::StartError;
use crate::rules::read;

/// How many of the newest events are asked about.
const EVENTS: u32 = 60;

/// Rules with what they matched lately.
#[derive(Clone, Debug, Serialize)]
pub struct RuleBoard {
    /// The rules, by id.
    pub rules: Vec<RuleView>,
    /// The newest events, with the rules that match them as they are now.
    pub events: Vec<MatchedEvent>,
}

/// An event with the rules that match it.
#[derive(Clone, Debug, Serialize)]
pub struct MatchedEvent {
    /// The event.
    #[serde(flatten)]
    pub event: EventView,
    /// The rules.
    pub matched: Vec<RuleId>,
    /// What they come to.
    pub answer: String,
}

impl RuleBoard {
    /// How many of the newest events each rule matches.
    pub fn counts(&self) -> BTreeMap<&RuleId, usize> {
        let mut counts = BTreeMap::new();
        for rule in self.events.iter().flat_map(|event| &event.matched) {
            *counts.entry(rule).or_insert(0) += 1;
        }
        counts
    }
}

impl Admin {
    /// Rules with what they matched lately.
    ///
    /// # Errors
    /// [`AdminError::Input`] with everything that is wrong with the files.
    pub async fn rule_board(&self) -> Result<RuleBoard, AdminError> {
        let rules = Arc::new(read(self.config.rules.as_deref()).map_err(StartError::Rules)?);
        let page = Page::first(EVENTS);
        let newest =
            events::list(&mut *self.store.read().await?, &EventFilter::default(), page).await?;
        let mut matched = Vec::with_capacity(newest.len());
        for recorded in newest {
            let about = self.about(recorded.event.artifact()).await?;
            let matches = rules.ask(&recorded.event, &about);
            matched.push(MatchedEvent {
                matched: matches.matched.iter().map(|rule| rule.id.clone()).collect(),
                answer: answered(&matches.answer()),
                event: recorded.into(),
            });
        }
        Ok(RuleBoard { rules: rules.all().map(|rule| view(rule)).collect(), events: matched })
    }
}
