//! `rules test`: recorded events against the rules, with the plans there would be, and nothing of it stored.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use model::event::{Event, RecordedEvent};
use model::id::EventId;
use model::rule::RuleId;
use pipeline::intake::{self, Reading};
use pipeline::plan::report::{PlanReport, report};
use pipeline::plan::{beyond, first_steps};
use pipeline::rules::explain::answered;
use pipeline::rules::matching::{Answer, Launch};
use serde::Serialize;
use store::events::EventFilter;
use store::{Page, events, refs};

use super::super::replay::messages;
use super::super::{Admin, AdminError};
use crate::clock::mint;
use crate::context::Context;
use crate::planning::{Supposed, Wish, alone};
use crate::reconcile::plan::root;

/// What the rules would do about one event.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The event: its number and what happened, or its place in the file.
    pub event: String,
    /// The rules that match.
    pub matched: Vec<RuleId>,
    /// What is done about it.
    pub answer: String,
    /// The rules that want people to know of it.
    pub notices: Vec<RuleId>,
    /// The plan there would be, if nothing else were under way.
    pub plan: Option<PlanReport>,
}

/// What the rules would do about events, in their order.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Trials(pub Vec<Trial>);

impl fmt::Display for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no events");
        }
        self.0.iter().enumerate().try_for_each(|(index, trial)| {
            if index > 0 {
                writeln!(f)?;
            }
            trial.fmt(f)
        })
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |ids: &[RuleId]| match ids {
            [] => "none".to_owned(),
            ids => ids.iter().map(RuleId::as_str).collect::<Vec<_>>().join(", "),
        };
        writeln!(f, "{}", self.event)?;
        writeln!(f, "  rules: {}", names(&self.matched))?;
        writeln!(f, "  so: {}", self.answer)?;
        if !self.notices.is_empty() {
            writeln!(f, "  people are told by: {}", names(&self.notices))?;
        }
        let Some(plan) = &self.plan else { return Ok(()) };
        plan.to_string().lines().try_for_each(|line| match line {
            "" => writeln!(f),
            line => writeln!(f, "  {line}"),
        })
    }
}

/// An event that is tried.
struct Tried {
    place: String,
    id: EventId,
    event: Event,
}

impl Admin {
    /// Asks the rules about the newest events, or those of a file of messages, and makes the plans there would be.
    ///
    /// # Errors
    /// [`AdminError::Input`] names the line that cannot be read, or what is wrong with the rules.
    pub async fn try_rules(&self, file: Option<&Path>, limit: u32) -> Result<Trials, AdminError> {
        let tried = match file {
            Some(file) => read_events(file)?,
            None => self.newest_events(limit).await?,
        };
        self.with_context(async |context| {
            let mut trials = Vec::new();
            for tried in tried {
                trials.push(trial(context, tried).await?);
            }
            Ok(Trials(trials))
        })
        .await
    }

    async fn newest_events(&self, limit: u32) -> Result<Vec<Tried>, AdminError> {
        let mut reader = self.store.read().await?;
        let found = events::list(&mut reader, &EventFilter::default(), Page::first(limit)).await?;
        // They are listed with the newest first, and were answered the other way round.
        let tried = |RecordedEvent { id, number, event, .. }: RecordedEvent| Tried {
            place: format!("event {number}"),
            id,
            event,
        };
        Ok(found.into_iter().rev().map(tried).collect())
    }
}

fn read_events(file: &Path) -> Result<Vec<Tried>, AdminError> {
    let mut tried = Vec::new();
    for (place, message) in messages(file)? {
        match intake::read(&message.topic, &message.body) {
            Ok(Reading::Event(event)) => tried.push(Tried { place, id: mint(), event }),
            Ok(Reading::Ignored { .. }) => {}
            Err(error) => return Err(AdminError::Input(format!("{place}: {error}"))),
        }
    }
    Ok(tried)
}

async fn trial(context: &Context, tried: Tried) -> Result<Trial, AdminError> {
    let Tried { place, id, event } = tried;
    let own = match &event {
        Event::Committed { commit, .. } => Some(commit.clone()),
        _ => refs::tip(&mut *context.store.read().await?, event.artifact())
            .await?
            .and_then(|tip| tip.commit),
    };
    let matches = context.ask(&event, own.as_ref()).await?;
    let answer = matches.dry_run().map_or_else(|| matches.answer(), |(answer, _)| answer);
    let answered = answered(&answer);
    let plan = match (answer, own) {
        (Answer::Start(launch), Some(commit)) => {
            let at = context.clock.now();
            let state = model::event::EventState::New;
            let recorded = RecordedEvent { id, number: 0, at, event: event.clone(), state };
            Some(planned(context, &recorded, &commit, &launch).await?)
        }
        _ => None,
    };
    Ok(Trial {
        event: format!("{place}: {event}"),
        matched: matches.matched.iter().map(|rule| rule.id.clone()).collect(),
        answer: answered,
        notices: matches.notices().map(|rule| rule.id.clone()).collect(),
        plan,
    })
}

/// The plan there would be, if nothing else were under way.
async fn planned(
    context: &Context,
    recorded: &RecordedEvent,
    commit: &model::artifact::CommitId,
    launch: &Launch,
) -> Result<PlanReport, AdminError> {
    let root = root(recorded, commit, launch);
    let branch = root.artifact.branch.clone();
    let supposed = Supposed {
        routes: HashMap::from([(recorded.id, launch.route.clone())]),
        ..Supposed::default()
    };
    let bounds = HashMap::from([(recorded.id, launch.bounds.clone())]);
    let wish = Wish::of(context, vec![root]).bounded(&bounds);
    let mut plan = alone(context, &branch, wish, &supposed).await?;
    if let Some(mode) = beyond(&plan, &launch.bounds) {
        plan.mode = mode;
    }
    Ok(report(&plan, None, &first_steps(&plan), |_| None))
}
