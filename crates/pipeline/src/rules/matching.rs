//! An event, asked of every rule -> what is to be done about it, and by which rules.

use std::fmt;
use std::sync::Arc;

use model::artifact::ArtifactKind;
use model::event::{Event, Severity};
use model::plan::RootAction;
use model::rule::RuleId;
use model::source::About;

use super::condition::Facts;
use super::fields::{of_artifact, of_event};
use super::limits::Bounds;
use super::passage::Route;
use super::{Action, Mode, Rule, RuleSet};

/// Which rules match an event, and which do not.
#[derive(Clone, Debug)]
pub struct Matches {
    set: Arc<RuleSet>,
    event: Event,
    about: About,
    /// Those that match, by id.
    pub matched: Vec<Arc<Rule>>,
    /// Those that do not, by id, with what stands against it.
    pub missed: Vec<(Arc<Rule>, Mismatch)>,
}

/// Why a rule does not match an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is switched off.
    Disabled,
    /// It is not asked about events of this kind.
    OtherKind,
    /// The time of another rule has come.
    OtherTime,
    /// It makes composes, and the artifact is none.
    NoCompose,
    /// Its condition does not hold.
    Condition {
        /// The condition.
        text: String,
        /// What it asks about, with the values there are.
        values: Vec<String>,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("it is switched off"),
            Self::OtherKind => f.write_str("it is not on events of this kind"),
            Self::OtherTime => f.write_str("the time of another rule has come"),
            Self::NoCompose => f.write_str("the artifact is no compose"),
            Self::Condition { text, values } if values.is_empty() => {
                write!(f, "`{text}` does not hold")
            }
            Self::Condition { text, values } => {
                write!(f, "`{text}` does not hold: {}", values.join(", "))
            }
        }
    }
}

/// What rules do about an event.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It starts nothing.
    Nothing {
        /// The rule that leaves it, if it is one.
        rule: Option<RuleId>,
        /// Why.
        sentence: String,
    },
    /// It starts a change.
    Start(Box<Launch>),
}

/// The start of a change.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What is done with the artifact.
    pub action: RootAction,
    /// The rule that says so.
    pub rule: RuleId,
    /// How grave it is.
    pub severity: Severity,
    /// How soon, how much, and when.
    pub bounds: Bounds,
    /// How far the change goes.
    pub route: Route,
}

impl RuleSet {
    /// Asks every rule about an event. `about` is what the artifact's `millstream.toml` tells.
    pub fn ask(self: &Arc<Self>, event: &Event, about: &About) -> Matches {
        let facts = Facts::of(event, about, &self.labels);
        let mut matches = Matches {
            set: Arc::clone(self),
            event: event.clone(),
            about: about.clone(),
            matched: Vec::new(),
            missed: Vec::new(),
        };
        for rule in self.all() {
            match mismatch(rule, event, about, &facts) {
                None => matches.matched.push(Arc::clone(rule)),
                Some(mismatch) => matches.missed.push((Arc::clone(rule), mismatch)),
            }
        }
        matches
    }
}

fn mismatch(rule: &Rule, event: &Event, about: &About, facts: &Facts<'_>) -> Option<Mismatch> {
    if rule.disabled {
        return Some(Mismatch::Disabled);
    }
    if !rule.on.iter().any(|kind| kind.as_str() == event.kind()) {
        return Some(Mismatch::OtherKind);
    }
    if let Event::TimeElapsed { rule: timed, .. } = event
        && rule.every.is_some()
        && rule.id != *timed
    {
        return Some(Mismatch::OtherTime);
    }
    if rule.action == Some(Action::Compose) && event.artifact().kind != ArtifactKind::Composes {
        return Some(Mismatch::NoCompose);
    }
    let condition = rule.when.as_ref().filter(|condition| !facts.hold(condition))?;
    let (event_values, artifact) = (of_event(event), of_artifact(event.artifact(), about));
    let values = condition.values(&[("event", &event_values), ("artifact", &artifact)]);
    Some(Mismatch::Condition { text: condition.text().to_owned(), values })
}

impl Matches {
    /// What is really done about the event.
    pub fn answer(&self) -> Answer {
        let real = self.matched.iter().filter(|rule| rule.mode == Mode::Real);
        self.answer_of(real.cloned().collect())
    }

    /// What would be done if every dry run were real, and the rules that are; none if no dry run matches.
    pub fn dry_run(&self) -> Option<(Answer, Vec<RuleId>)> {
        let dry = self.matched.iter().filter(|rule| rule.mode == Mode::DryRun);
        let dry: Vec<RuleId> = dry.map(|rule| rule.id.clone()).collect();
        (!dry.is_empty()).then(|| (self.answer_of(self.matched.clone()), dry))
    }

    /// Whether it starts anything, or would if dry runs were real.
    pub fn start_something(&self) -> bool {
        let dry = self.dry_run().map(|(answer, _)| answer);
        dry.into_iter().chain([self.answer()]).any(|answer| matches!(answer, Answer::Start(_)))
    }

    /// The rules that want people to know of the event.
    pub fn notices(&self) -> impl Iterator<Item = &Rule> {
        let notices =
            |rule: &&Arc<Rule>| rule.action == Some(Action::Notify) && rule.mode == Mode::Real;
        self.matched.iter().filter(notices).map(Arc::as_ref)
    }

    fn answer_of(&self, rules: Vec<Arc<Rule>>) -> Answer {
        let leaves =
            |rule: &&Arc<Rule>| rule.action == Some(Action::Leave) && rule.follow.is_empty();
        if let Some(rule) = rules.iter().find(leaves) {
            let sentence = format!("rule {} leaves it: {}", rule.id, rule.description);
            return Answer::Nothing { rule: Some(rule.id.clone()), sentence };
        }
        let action = |rule: &Rule| match rule.action? {
            Action::Rebuild | Action::Compose => Some(RootAction::Rebuild),
            Action::Retest => Some(RootAction::Retest),
            Action::Notify | Action::Leave => None,
        };
        let starts = |wanted| rules.iter().find(|rule| action(rule) == Some(wanted));
        // What is built is tested as well.
        let starts = [RootAction::Rebuild, RootAction::Retest]
            .into_iter()
            .find_map(|wanted| Some((wanted, starts(wanted)?.id.clone())));
        let Some((action, rule)) = starts else {
            return Answer::Nothing { rule: None, sentence: self.why_nothing() };
        };
        let severities = rules.iter().filter_map(|rule| rule.severity);
        let severity = severities.chain([self.event.severity()]).max().unwrap_or_default();
        let bounds = Bounds::of(&rules);
        let (set, event, about) = (Arc::clone(&self.set), self.event.clone(), self.about.clone());
        let route = Route { set, rules, event, about, starter: rule.clone() };
        Answer::Start(Box::new(Launch { action, rule, severity, bounds, route }))
    }

    /// The rules that could have started something, had their conditions held.
    fn why_nothing(&self) -> String {
        let could = |(rule, mismatch): &&(Arc<Rule>, Mismatch)| {
            rule.action.is_some_and(Action::starts)
                && matches!(mismatch, Mismatch::Condition { .. } | Mismatch::NoCompose)
        };
        let could = self.missed.iter().filter(could).map(|(rule, _)| rule.id.as_str());
        match could.collect::<Vec<_>>().as_slice() {
            [] => format!("no rule starts anything on {} events", self.event.kind()),
            could => {
                format!("no rule that starts something matches; asked were {}", could.join(", "))
            }
        }
    }
}
