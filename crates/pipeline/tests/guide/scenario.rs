//! A few artifacts with edges, and events: what the rules do about each, as text.
//!
//! `containers/web: contains rpms/zlib; team security; label tier=base` is an artifact; whatever it names is published.
//! `when … at 14:00` is an event; below it stands what comes of it, which [`Scenario::run`] writes anew.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Request as Asked, Severity};
use model::plan::{Plan, RootAction};
use model::reason::{Reason, StopReason};
use model::rule::PlanMode;
use model::source::{About, Settings};
use pipeline::plan::merge::{Debounce, start};
use pipeline::plan::{Ground, Published, Request, Root, Setup, beyond, make};
use pipeline::rules::matching::{Answer, Launch};
use pipeline::rules::{RuleSet, file, shipped};

const MINUTE: i64 = 60_000_000;

pub(crate) struct Scenario<'t> {
    rules: Arc<RuleSet>,
    text: &'t str,
    ground: Ground,
}

impl<'t> Scenario<'t> {
    pub(crate) fn read(rules: &[String], text: &'t str) -> Self {
        let own = rules.iter().map(|text| {
            let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
            file::read(&format!("{id}.yaml"), text).unwrap()
        });
        let rules = RuleSet::of(shipped::rules().unwrap().into_iter().chain(own));
        let mut scenario = Self { rules: Arc::new(rules), text, ground: Ground::default() };
        for line in text.lines().take_while(|line| !line.starts_with("when ")) {
            scenario.artifact(line);
        }
        scenario
    }

    fn artifact(&mut self, line: &str) {
        let (name, facts) = line.split_once(": ").unwrap();
        let (dependent, mut about) = (key(name), About::default());
        let mut known = BTreeSet::from([dependent.clone()]);
        for fact in facts.split("; ") {
            match fact.split_once(' ').unwrap() {
                ("team", team) => about.teams.push(team.to_owned()),
                ("label", label) => {
                    let (name, value) = label.split_once('=').unwrap();
                    about.labels.insert(name.to_owned(), value.to_owned());
                }
                (kind, name) => {
                    let kind = EdgeKind::ALL.into_iter().find(|known| known.as_str() == kind);
                    let dependency = key(name);
                    known.insert(dependency.clone());
                    self.ground.edges.push(Edge {
                        dependent: dependent.clone(),
                        kind: kind.unwrap(),
                        package: dependency.name.to_string(),
                        dependency,
                        evidence: Evidence::Spec { commit: commit(), capability: name.to_owned() },
                    });
                }
            }
        }
        self.ground.settings.insert(dependent, Settings { about, ..Settings::default() });
        let published = || Published { build: id(), commit: commit() };
        self.ground.published.extend(known.into_iter().map(|artifact| (artifact, published())));
    }

    /// The whole text, with what really comes of each event.
    pub(crate) fn run(&self) -> String {
        let mut text = String::new();
        for line in self.text.lines().filter(|line| !line.starts_with("  ")) {
            text += &format!("{line}\n");
            if let Some(happens) = line.strip_prefix("when ") {
                self.happen(happens, &mut text);
            }
        }
        text
    }

    fn happen(&self, words: &str, text: &mut String) {
        let (event, at) = event(words);
        let about = self.ground.settings.get(event.artifact()).map(|known| known.about.clone());
        let matches = self.rules.ask(&event, &about.unwrap_or_default());
        for rule in matches.notices() {
            writeln!(text, "  people are told by {}", rule.id).unwrap();
        }
        self.write(&matches.answer(), (&event, at), text);
        if let Some((answer, rules)) = matches.dry_run() {
            let rules: Vec<&str> = rules.iter().map(model::rule::RuleId::as_str).collect();
            writeln!(text, "  dry run of {}:", rules.join(", ")).unwrap();
            self.write(&answer, (&event, at), text);
        }
    }

    fn write(&self, answer: &Answer, (event, at): (&Event, Timestamp), text: &mut String) {
        match answer {
            Answer::Nothing { sentence, .. } => {
                writeln!(text, "  {:18}  {sentence}", "nothing").unwrap();
            }
            Answer::Start(launch) => {
                let plan = self.plan(launch, event, at);
                if let Some(PlanMode::Proposed { rule, limit }) = beyond(&plan, &launch.bounds) {
                    let size = plan.steps.len();
                    writeln!(
                        text,
                        "  waits for a person: it has {size} steps, and {rule} allows {limit}"
                    )
                    .unwrap();
                }
                if plan.severity > event.severity() {
                    writeln!(text, "  severity {}", plan.severity).unwrap();
                }
                if plan.start > at {
                    writeln!(text, "  the plan waits until {}", clock(plan.start)).unwrap();
                }
                describe(&plan, text);
            }
        }
    }

    fn plan(&self, launch: &Launch, event: &Event, at: Timestamp) -> Plan {
        let by = "somebody".to_owned();
        let root = Root {
            artifact: event.artifact().clone(),
            commit: commit(),
            action: launch.action,
            reason: Reason::Requested { event: id(), by, reason: event.to_string() },
            severity: launch.severity,
            event: id(),
            rule: Some(launch.rule.clone()),
            hours: launch.bounds.hours,
        };
        let debounce = Debounce {
            quiet: launch.bounds.debounce.unwrap_or_default(),
            at_most: launch.bounds.debounce_at_most.unwrap_or_default(),
        };
        let request = Request {
            id: id(),
            parent: None,
            branch: event.artifact().branch.clone(),
            created: at,
            origin: at,
            start: start(at, at, launch.severity, &[], debounce),
            mode: PlanMode::Real,
            approval: None,
            roots: vec![root],
            routes: HashMap::from([(id(), launch.route.clone())]),
        };
        let setup = Setup { max_rounds: 3, capacity: 2, default_duration: Duration::from_secs(60) };
        make(request, &self.ground, &setup)
    }
}

/// Every step with its rule and when it may start, and every artifact that is left.
fn describe(plan: &Plan, text: &mut String) {
    for step in &plan.steps {
        let when = match step.not_before {
            Some(earliest) => format!("at {}", clock(earliest)),
            None if step.root == Some(RootAction::Retest) => "tested".to_owned(),
            None => "at once".to_owned(),
        };
        let rule = step.rule.as_ref().unwrap();
        writeln!(text, "  {:18}  {when:14}  {rule}", name(&step.artifact)).unwrap();
    }
    for stop in &plan.stops {
        let artifact = name(&stop.edge.dependent);
        match &stop.because {
            StopReason::Rule { rule, sentence } => {
                writeln!(text, "  {artifact:18}  {:14}  {rule}: {sentence}", "left").unwrap();
            }
            because => writeln!(text, "  {artifact:18}  {:14}  {because}", "left").unwrap(),
        }
    }
}

/// The event a line tells of, and when it happens.
fn event(words: &str) -> (Event, Timestamp) {
    let (words, subject) = words.split_once(": ").unwrap_or((words, "A change"));
    let (words, at) = words.split_once(" at ").unwrap_or((words, "00:00"));
    let words: Vec<&str> = words.split(' ').collect();
    let severity =
        |name: &str| Severity::ALL.into_iter().find(|known| known.as_str() == name).unwrap();
    let committed = |artifact: &str, severity| Event::Committed {
        artifact: key(artifact),
        commit: commit(),
        previous: None,
        forced: false,
        severity,
        subject: subject.to_owned(),
    };
    let event = match words.as_slice() {
        [artifact, "is", "committed"] => committed(artifact, Severity::None),
        [artifact, "is", "committed", "with", "severity", grave] => {
            committed(artifact, severity(grave))
        }
        ["somebody", "asks", "to", request, artifact] => Event::Requested {
            artifact: key(artifact),
            request: if *request == "retest" { Asked::Retest } else { Asked::Rebuild },
            by: "somebody".to_owned(),
            reason: subject.to_owned(),
            severity: Severity::None,
        },
        ["the", "time", "of", rule, "comes", "for", artifact] => {
            Event::TimeElapsed { artifact: key(artifact), rule: rule.parse().unwrap(), period: 1 }
        }
        ["the", "branch", "of", artifact, "is", "deleted"] => {
            Event::BranchDeleted { artifact: key(artifact), previous: commit() }
        }
        other => panic!("cannot read {other:?}"),
    };
    let (hours, minutes) = at.split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    (event, Timestamp((number(hours) * 60 + number(minutes)) * MINUTE))
}

fn clock(at: Timestamp) -> String {
    let minutes = at.0 / MINUTE % (24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// An artifact; on f44 unless its branch is named.
fn key(name: &str) -> ArtifactKey {
    let branch = if name.contains('#') { "" } else { "#f44" };
    format!("{name}{branch}").parse().unwrap()
}

fn name(key: &ArtifactKey) -> String {
    key.to_string().trim_end_matches("#f44").to_owned()
}

fn commit() -> CommitId {
    "1".repeat(40).parse().unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    format!("{:032x}", 1).parse().unwrap()
}
