//! What an event comes to: nothing, with the reason, or the start of a change, as the rules say.

use std::collections::HashMap;

use model::artifact::{ArtifactKey, CommitId};
use model::decision::{Decision, DecisionKind};
use model::event::{Event, EventState, RecordedEvent};
use model::hold::{Hold, HoldKind};
use model::plan::RootAction;
use model::reason::Reason;
use model::rule::RuleId;
use model::source::{About, Source, SourceProblem};
use pipeline::plan::Root;
use pipeline::rules::limits::Bounds;
use pipeline::rules::matching::{Answer as RuleAnswer, Launch, Matches};
use pipeline::rules::passage::Route;
use store::{holds, refs, sources};

use super::reading;
use crate::context::Context;
use crate::reconcile::StageError;

/// What an event comes to.
pub(super) enum Answer {
    /// It asks for no plan.
    Nothing { state: EventState, kind: DecisionKind, sentence: String, detail: serde_json::Value },
    /// It starts a change.
    Start(Box<Start>),
    /// Its source has to be read first.
    Unread(reading::Wanted),
}

/// The start of a change.
pub(super) struct Start {
    /// Where it really starts, and the limits of the rules that say so.
    pub(super) real: Option<(Root, Bounds)>,
    /// Where it would start if dry runs were real.
    pub(super) dry: Option<DryStart>,
}

/// The start of a change that is only shown.
pub(super) struct DryStart {
    pub(super) root: Root,
    pub(super) route: Route,
    /// The rules that would have to be real.
    pub(super) rules: Vec<RuleId>,
}

/// What all answers of one look ask about, loaded once.
pub(super) struct Moment {
    frozen: Vec<Hold>,
    tips: HashMap<ArtifactKey, Option<CommitId>>,
    /// What the tips say, of those that were read.
    sources: HashMap<ArtifactKey, Source>,
}

impl Moment {
    pub(super) async fn load(
        context: &Context,
        pending: &[RecordedEvent],
    ) -> Result<Self, StageError> {
        let mut reader = context.store.read().await?;
        let in_force = holds::in_force(&mut reader, context.clock.now()).await?;
        let artifacts: Vec<ArtifactKey> =
            pending.iter().map(|recorded| recorded.event.artifact().clone()).collect();
        let tips = refs::tips_of(&mut reader, &artifacts).await?;
        let commits: Vec<(ArtifactKey, CommitId)> = (tips.iter())
            .filter_map(|tip| Some((tip.artifact.clone(), tip.commit.clone()?)))
            .collect();
        let sources = sources::get_many(&mut reader, &commits).await?;
        Ok(Self {
            frozen: in_force.into_iter().filter(|hold| hold.kind == HoldKind::Freeze).collect(),
            tips: tips.into_iter().map(|tip| (tip.artifact, tip.commit)).collect(),
            sources: (sources.into_iter())
                .map(|source| (source.artifact.clone(), source))
                .collect(),
        })
    }

    /// Why an event is not answered, whatever the rules say; or the commit it is about.
    fn commit(&self, event: &Event) -> Result<Option<CommitId>, Answer> {
        let artifact = event.artifact();
        if let Some(hold) = self.frozen.iter().find(|hold| hold.artifact == *artifact) {
            let (author, reason) = (hold.author.clone(), hold.reason.clone());
            let sentence = format!("{artifact} is frozen by {author}: {reason}");
            return Err(ignored(sentence, serde_json::json!(Reason::Frozen { author, reason })));
        }
        let tip = self.tips.get(artifact).cloned().flatten();
        let none = serde_json::Value::Null;
        match (event, tip) {
            (Event::Committed { commit, .. }, tip) if tip.as_ref() != Some(commit) => {
                let moved =
                    format!("the branch of {artifact} has moved on from {}", commit.short());
                Err(ignored(moved, none))
            }
            (Event::Requested { .. }, None) => {
                Err(rejected(&format!("{artifact} has no such branch"), none))
            }
            (Event::TimeElapsed { .. } | Event::TestResult { .. }, None) => {
                Err(ignored(format!("the branch of {artifact} is gone"), none))
            }
            (_, tip) => Ok(tip),
        }
    }
}

/// The answer to an event, and what people are to know of it.
pub(super) fn answer(
    context: &Context,
    moment: &Moment,
    recorded: &RecordedEvent,
) -> (Answer, Vec<Decision>) {
    let event = &recorded.event;
    let commit = match moment.commit(event) {
        Ok(commit) => commit,
        Err(answer) => return (answer, Vec::new()),
    };
    let artifact = event.artifact();
    let source = moment.sources.get(artifact);
    let content = source.and_then(|source| source.content.as_ref().ok());
    let none = About::default();
    let about = content.map_or(&none, |content| &content.settings.about);
    let matches = context.rules.ask(event, about);
    // Without a source there is nothing to build; what rules ask about it may change the answer.
    let wants_source = matches.start_something() || context.rules.asks_about();
    let Some(commit) = commit.filter(|_| wants_source) else {
        return (nothing(event, &matches), notices(context, recorded, &matches));
    };
    let Some(source) = source else {
        return (Answer::Unread((artifact.clone(), commit)), Vec::new());
    };
    let answer = match &source.content {
        _ if !matches.start_something() => nothing(event, &matches),
        Err(problem) => refused(artifact, problem),
        Ok(_) => start(recorded, &commit, &matches),
    };
    (answer, notices(context, recorded, &matches))
}

fn start(recorded: &RecordedEvent, commit: &CommitId, matches: &Matches) -> Answer {
    let real = match matches.answer() {
        RuleAnswer::Start(launch) => Some((root(recorded, commit, &launch), launch.bounds)),
        RuleAnswer::Nothing { .. } => None,
    };
    let dry = match matches.dry_run() {
        Some((RuleAnswer::Start(launch), rules)) => {
            Some(DryStart { root: root(recorded, commit, &launch), route: launch.route, rules })
        }
        _ => None,
    };
    Answer::Start(Box::new(Start { real, dry }))
}

/// Where a change starts that the rules launch.
pub(crate) fn root(recorded: &RecordedEvent, commit: &CommitId, launch: &Launch) -> Root {
    let (event, rule) = (recorded.id, &launch.rule);
    let by_rule = || format!("rule {rule}");
    let reason = match &recorded.event {
        Event::Committed { subject, .. } if launch.action == RootAction::Rebuild => {
            Reason::SourceChanged { event, commit: commit.clone(), subject: subject.clone() }
        }
        Event::Requested { by, reason, .. } => {
            Reason::Requested { event, by: by.clone(), reason: reason.clone() }
        }
        other => Reason::Requested { event, by: by_rule(), reason: other.to_string() },
    };
    Root {
        artifact: recorded.event.artifact().clone(),
        commit: commit.clone(),
        action: launch.action,
        reason,
        severity: launch.severity,
        event,
        rule: Some(rule.clone()),
        hours: launch.bounds.hours,
    }
}

/// Why the rules start nothing.
fn nothing(event: &Event, matches: &Matches) -> Answer {
    let (rule, sentence) = match matches.answer() {
        RuleAnswer::Nothing { rule, sentence } => (rule, sentence),
        // Rules say what is to be done; there is no branch to do it with.
        RuleAnswer::Start(launch) => (Some(launch.rule), "there is no commit to build".to_owned()),
    };
    let sentence = match event {
        Event::BranchDeleted { artifact, .. } => {
            format!("the branch of {artifact} is gone; what is published of it stays")
        }
        Event::TestResult { .. } if rule.is_none() => "gates read the result".to_owned(),
        _ => sentence,
    };
    ignored(
        sentence,
        rule.map_or(serde_json::Value::Null, |rule| serde_json::json!({ "rule": rule })),
    )
}

/// One line of the ledger for each rule that wants people to know of the event.
fn notices(context: &Context, recorded: &RecordedEvent, matches: &Matches) -> Vec<Decision> {
    let notice = |rule: &pipeline::rules::Rule| {
        let sentence = format!("{}: {}", rule.description.trim_end_matches('.'), recorded.event);
        let detail = serde_json::json!({ "rule": rule.id });
        decision(context, recorded, DecisionKind::Notify, (sentence, detail))
    };
    matches.notices().map(notice).collect()
}

fn refused(artifact: &ArtifactKey, problem: &SourceProblem) -> Answer {
    rejected(&format!("{artifact}: {problem}"), serde_json::json!(problem))
}

fn rejected(sentence: &str, detail: serde_json::Value) -> Answer {
    let sentence = sentence.to_owned();
    Answer::Nothing { state: EventState::Rejected, kind: DecisionKind::Rejected, sentence, detail }
}

fn ignored(sentence: String, detail: serde_json::Value) -> Answer {
    Answer::Nothing { state: EventState::Done, kind: DecisionKind::Ignored, sentence, detail }
}

pub(super) fn decision(
    context: &Context,
    recorded: &RecordedEvent,
    kind: DecisionKind,
    (sentence, detail): (String, serde_json::Value),
) -> Decision {
    Decision {
        kind,
        at: context.clock.now(),
        event: Some(recorded.id),
        plan: None,
        artifact: Some(recorded.event.artifact().clone()),
        sentence,
        detail,
    }
}
