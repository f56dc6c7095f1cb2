//! Which rules apply to an event or an artifact, and why the others do not: what `millstream rules explain` says.

use std::fmt;
use std::sync::Arc;

use model::artifact::{ArtifactKey, CommitId};
use model::event::{Event, Request, Severity};
use model::rule::RuleId;
use model::source::About;
use model::test::Outcome;
use serde::Serialize;

use super::fields::of_artifact;
use super::matching::{Answer, Matches, Mismatch};
use super::{EventKind, Rule, RuleSet};

/// What every rule says about something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// What it is about.
    pub subject: String,
    /// Each rule, by id.
    pub rules: Vec<Verdict>,
    /// What is done; only about an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RuleVerdict))]
pub struct Verdict {
    /// The rule.
    pub rule: RuleId,
    /// Whether it applies.
    pub applies: Applies,
    /// What it does, or why it does not apply.
    pub sentence: String,
}

/// Whether a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// It does.
    Yes,
    /// It depends on what the event is.
    Depends,
    /// It does not.
    No,
}

impl Applies {
    fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Depends => "depends",
            Self::No => "no",
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.subject)?;
        let width = self.rules.iter().map(|verdict| verdict.rule.as_str().len()).max().unwrap_or(0);
        for Verdict { rule, applies, sentence } in &self.rules {
            let (rule, applies) = (rule.as_str(), applies.word());
            writeln!(f, "  {rule:width$}  {applies:7}  {sentence}")?;
        }
        match &self.answer {
            Some(answer) => writeln!(f, "so: {answer}"),
            None => Ok(()),
        }
    }
}

/// What every rule says about an event.
pub fn event(matches: &Matches, subject: String) -> Explanation {
    let matched = matches.matched.iter().map(|rule| Verdict {
        rule: rule.id.clone(),
        applies: Applies::Yes,
        sentence: does(rule),
    });
    let missed = matches.missed.iter().map(|(rule, mismatch)| Verdict {
        rule: rule.id.clone(),
        applies: Applies::No,
        sentence: mismatch.to_string(),
    });
    let mut rules: Vec<Verdict> = matched.chain(missed).collect();
    rules.sort_by(|a, b| a.rule.cmp(&b.rule));
    Explanation { subject, rules, answer: Some(answered(&matches.answer())) }
}

/// What an answer comes to.
pub fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Nothing { sentence, .. } => sentence.clone(),
        Answer::Start(launch) => {
            let what = match launch.action {
                model::plan::RootAction::Rebuild => "rebuilt",
                model::plan::RootAction::Retest => "tested",
            };
            format!("it is {what}, by rule {}", launch.rule)
        }
    }
}

/// What a rule does, in a few words.
pub fn does(rule: &Rule) -> String {
    let mut parts = Vec::new();
    parts.extend(rule.action.map(|action| action.as_str().to_owned()));
    if !rule.follow.is_empty() {
        let mut kinds: Vec<&str> =
            rule.follow.iter().flat_map(|follow| &follow.edges).map(|kind| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let word = if rule.action == Some(super::Action::Leave) { "not along" } else { "follow" };
        let conditional = rule.follow.iter().all(|follow| follow.when.is_some());
        let sometimes = if conditional { " on a condition" } else { "" };
        parts.push(format!("{word} {}{sometimes}", kinds.join(", ")));
    }
    parts.extend(rule.limits.size.map(|size| format!("ask a person beyond {size} steps")));
    parts.extend(rule.severity.map(|severity| format!("as {severity}")));
    if rule.mode == super::Mode::DryRun {
        parts.push("as a dry run".to_owned());
    }
    if parts.is_empty() { "limits only".to_owned() } else { parts.join("; ") }
}

/// What every rule says about events of an artifact.
pub fn artifact(set: &Arc<RuleSet>, key: &ArtifactKey, about: &About) -> Explanation {
    let verdict = |rule: &Arc<Rule>| {
        let (applies, sentence) = of_artifact_events(set, rule, key, about);
        Verdict { rule: rule.id.clone(), applies, sentence }
    };
    let teams = if about.teams.is_empty() { "none".to_owned() } else { about.teams.join(", ") };
    let labels: Vec<String> =
        about.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
    let subject = format!("{key}: teams {teams}; labels {labels}");
    Explanation { subject, rules: set.all().map(verdict).collect(), answer: None }
}

fn of_artifact_events(
    set: &Arc<RuleSet>,
    rule: &Arc<Rule>,
    key: &ArtifactKey,
    about: &About,
) -> (Applies, String) {
    let on: Vec<&str> = rule.on.iter().map(|kind| kind.as_str()).collect();
    let on = on.join(", ");
    if let Some(condition) = rule.when.as_ref().filter(|when| when.mentions(&["event"]))
        && !rule.disabled
    {
        let own = of_artifact(key, about);
        let mut values = condition.values(&[("artifact", &own)]);
        values.insert(0, format!("on {on}, when `{}`", condition.text()));
        return (Applies::Depends, format!("{}; {}", does(rule), values.join(", ")));
    }
    // Without a word about the event, one of each kind stands for all.
    for sample in rule.on.iter().filter_map(|kind| sample(*kind, rule, key)) {
        let matches = set.ask(&sample, about);
        let missed = matches.missed.into_iter().find(|(missed, _)| missed.id == rule.id);
        if let Some((_, mismatch)) = missed {
            return (Applies::No, mismatch.to_string());
        }
    }
    if rule.disabled {
        return (Applies::No, Mismatch::Disabled.to_string());
    }
    (Applies::Yes, format!("{}; on {on}", does(rule)))
}

/// An event of a kind, with nothing in it that a condition could ask about.
fn sample(kind: EventKind, rule: &Rule, key: &ArtifactKey) -> Option<Event> {
    let artifact = key.clone();
    let commit: CommitId = "0".repeat(40).parse().ok()?;
    let severity = Severity::None;
    Some(match kind {
        EventKind::Committed => {
            let subject = String::new();
            Event::Committed { artifact, commit, previous: None, forced: false, severity, subject }
        }
        EventKind::Requested => {
            let (by, reason) = (String::new(), String::new());
            Event::Requested { artifact, request: Request::Rebuild, by, reason, severity }
        }
        EventKind::TestResult => {
            let (nvr, case) = (String::new(), String::new());
            Event::TestResult { artifact, nvr, case, outcome: Outcome::Passed }
        }
        EventKind::BranchDeleted => Event::BranchDeleted { artifact, previous: commit },
        EventKind::TimeElapsed => Event::TimeElapsed { artifact, rule: rule.id.clone(), period: 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::super::{file, shipped};
    use super::*;

    fn set(own: &[(&str, &str)]) -> Arc<RuleSet> {
        let own = own.iter().map(|(id, text)| {
            let text = format!("id: {id}\ndescription: {id}.\n{text}");
            file::read(&format!("{id}.yaml"), &text).unwrap()
        });
        Arc::new(RuleSet::of(shipped::rules().unwrap().into_iter().chain(own)))
    }

    fn event(subject: &str, severity: Severity) -> Event {
        Event::Committed {
            artifact: "rpms/zlib#f44".parse().unwrap(),
            commit: "1".repeat(40).parse().unwrap(),
            previous: None,
            forced: false,
            severity,
            subject: subject.to_owned(),
        }
    }

    /// What is done about a commit to zlib, beside what the dry runs would do.
    #[track_caller]
    fn check(own: &[(&str, &str)], expected: &str) {
        let matches = set(own).ask(&event("Fix", Severity::Low), &About::default());
        let told = |answer: &Answer| match answer {
            Answer::Start(launch) => {
                let bounds = &launch.bounds;
                let size = bounds.size.as_ref().map(|(rule, size)| format!(" {rule}={size}"));
                let quiet = bounds.debounce.map(|quiet| format!(" {}s", quiet.as_secs()));
                let severity = launch.severity;
                let parts = [size, quiet].into_iter().flatten().collect::<String>();
                format!("{} {severity}{parts}", answered(answer))
            }
            Answer::Nothing { .. } => answered(answer),
        };
        let mut found = told(&matches.answer());
        if let Some((answer, _)) = matches.dry_run() {
            found += &format!("; dry run: {}", told(&answer));
        }
        assert_eq!(found, expected);
    }

    const ON: &str = "on: [committed]\n";

    #[test]
    fn rules_that_match_count_together() {
        check(&[], "it is rebuilt, by rule package-changed low");
        let retest =
            format!("{ON}do: retest\nseverity: moderate\nlimits: {{size: 9, debounce: 1m}}\n");
        let small = format!("{ON}limits: {{size: 3, debounce: 10s}}\n");
        check(
            &[("also", &retest), ("small", &small)],
            "it is rebuilt, by rule package-changed moderate small=3 60s",
        );
    }

    #[test]
    fn one_that_leaves_is_enough() {
        let leave = format!("{ON}do: leave\n");
        check(&[("calm", &leave)], "rule calm leaves it: calm.");
        let dry = format!("{ON}do: leave\nmode: dry-run\n");
        check(
            &[("calm", &dry)],
            "it is rebuilt, by rule package-changed low; dry run: rule calm leaves it: calm.",
        );
        let other = format!("{ON}do: leave\nwhen: event.subject.startsWith('WIP')\n");
        check(&[("calm", &other)], "it is rebuilt, by rule package-changed low");
    }

    #[test]
    fn a_shipped_rule_can_be_replaced_or_switched_off() {
        let off = "on: [committed]\ndo: rebuild\ndisabled: true\n";
        check(
            &[("package-changed", off)],
            "no rule that starts something matches; asked were compose-changed, image-changed",
        );
        let tested = format!("{ON}do: retest\n");
        check(&[("package-changed", &tested)], "it is tested, by rule package-changed low");
    }

    #[test]
    fn every_rule_says_why_not() {
        let matches = set(&[("urgent", "on: [committed]\nwhen: event.severity >= important && 'x' in artifact.teams\nseverity: critical\n")])
            .ask(&event("Fix", Severity::Low), &About::default());
        let text = self::event_text(&matches);
        for line in [
            "  compose-changed         no       the artifact is no compose\n",
            "  image-changed           no       `artifact.kind == \"containers\"` does not hold: artifact.kind is \"rpms\"\n",
            "  package-changed         yes      rebuild\n",
            "  packages-follow         yes      follow build-requires, buildroot, requires\n",
            "  rebuild-requested       no       it is not on events of this kind\n",
            "artifact.teams is [], event.severity is low\n",
            "so: it is rebuilt, by rule package-changed\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    fn event_text(matches: &Matches) -> String {
        super::event(matches, "event 1".to_owned()).to_string()
    }

    #[test]
    fn what_depends_on_the_event_is_told_of_an_artifact() {
        let about = About { teams: vec!["base".to_owned()], ..About::default() };
        let own = set(&[(
            "urgent",
            "on: [committed]\nwhen: event.severity >= important && 'x' in artifact.teams\nseverity: critical\n",
        )]);
        let text = artifact(&own, &"rpms/zlib#f44".parse().unwrap(), &about).to_string();
        for line in [
            "rpms/zlib#f44: teams base; labels none\n",
            "  package-changed         yes      rebuild; on committed\n",
            "  image-changed           no       `artifact.kind == \"containers\"` does not hold: artifact.kind is \"rpms\"\n",
            "  urgent                  depends  as critical; on committed, when `event.severity >= important && 'x' in artifact.teams`, artifact.teams is [\"base\"]\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
