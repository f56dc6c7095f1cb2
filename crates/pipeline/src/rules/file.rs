//! Reads a rule file. Everything that is wrong with it is told at once, each with its line.
//!
//! ```yaml
//! id: images-at-night                  # the file's name without .yaml
//! description: Images are rebuilt at night, unless the fix is severe.
//! on: [committed, requested]           # committed, requested, test-result, branch-deleted, time-elapsed
//! every: 7d                            # with time-elapsed: how often
//! when: artifact.kind == "rpms"        # CEL over `artifact` and `event`
//! do: rebuild                          # rebuild, retest, compose, notify, leave
//! mode: real                           # real, dry-run
//! severity: important                  # the event is at least as grave as this
//! follow:                              # with `do: leave`: the edges the change does not pass
//!   - edges: [contains, layered-on]    # every kind if it is left out
//!     when: event.severity < important # CEL over `artifact`, `event`, `edge`, `dependent` and `dependency`
//!     depth: 2                         # how many edges away from where the change starts
//!     hours: 22:00-06:00               # when the builds of what is reached may start
//! limits: {debounce: 10m, debounce_at_most: 2h, size: 500, hours: 22:00-06:00}
//! disabled: false
//! ```

mod locate;
mod reader;

use std::fmt;
use std::time::Duration;

use model::edge::EdgeKind;
use model::event::Severity;
use model::rule::RuleId;
use yaml_serde::{Mapping, Value};

use super::condition::{Condition, Scope};
use super::limits::{Limits, duration};
use super::{Action, EventKind, Follow, Mode, Origin, Rule};
use locate::Part;
use reader::Reader;

/// How large a rule file may be, in bytes.
const LARGEST: usize = 64 * 1024;

/// The shortest time a rule on time may have.
const SHORTEST_EVERY: Duration = Duration::from_secs(60);

/// What is wrong with a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleProblem {
    /// The file.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

const FIELDS: [&str; 11] = [
    "id",
    "description",
    "on",
    "every",
    "when",
    "do",
    "mode",
    "severity",
    "follow",
    "limits",
    "disabled",
];

/// Fields that are thought of, and would do nothing now.
const RESERVED: [(&str, &str); 1] = [(
    "gate",
    "`gate` is reserved: what stands between a build and its dependents is said by gating.yaml and the floor policy, which no rule relaxes",
)];

/// Reads the file of one rule.
///
/// # Errors
/// Every [`RuleProblem`] of the file.
pub fn read(file: &str, text: &str) -> Result<Rule, Vec<RuleProblem>> {
    let mut reader = Reader::new(file, text);
    if text.len() > LARGEST {
        reader.problem(&[], format!("the file is larger than {LARGEST} bytes"));
        return Err(reader.problems);
    }
    let document = match yaml_serde::from_str::<Value>(text) {
        Ok(document) => document,
        Err(error) => {
            reader.yaml_problem(&error);
            return Err(reader.problems);
        }
    };
    let rule = rule(&mut reader, &document);
    match rule {
        Some(rule) if reader.problems.is_empty() => Ok(rule),
        _ => {
            reader.problems.sort_by_key(|problem| problem.line);
            Err(reader.problems)
        }
    }
}

fn rule(reader: &mut Reader<'_>, document: &Value) -> Option<Rule> {
    let fields = reader.fields(&[], document, (&FIELDS, &RESERVED))?;
    let id = id(reader, fields);
    let disabled = reader.flag(fields, &[Part::Key("disabled")]).unwrap_or(false);
    let description = reader.text(fields, &[Part::Key("description")]).map(str::to_owned);
    let on = on(reader, fields);
    let action =
        reader.word(fields, &[Part::Key("do")], &Action::ALL.map(|known| (known.as_str(), known)));
    let scope = Scope { on: &on, in_follow: false };
    let every = reader.read(fields, &[Part::Key("every")], "a time, e.g. 12h or 7d", duration);
    let when = condition(reader, fields, &[Part::Key("when")], scope);
    let severities = Severity::ALL.map(|known| (known.as_str(), known));
    let severity = reader.word(fields, &[Part::Key("severity")], &severities);
    let (mode, follow) = (mode(reader, fields), follow(reader, fields, &on));
    let limits = limits(reader, fields);
    // Everything is read first, so that everything that is wrong is told.
    let rule = Rule {
        id: id?,
        description: description.clone().unwrap_or_default(),
        origin: Origin::File(reader.file.to_owned()),
        disabled,
        every,
        when,
        action,
        mode,
        severity,
        follow,
        limits,
        on,
    };
    // A file that only switches a shipped rule off need not repeat it.
    if !disabled {
        if description.is_none() {
            reader.problem(
                &[],
                "`description` is missing: it is what people read when the rule acts",
            );
        }
        check(reader, &rule, fields);
    }
    Some(rule)
}

/// The id is the file's name, so that a rule is found where it is named.
fn id(reader: &mut Reader<'_>, fields: &Mapping) -> Option<RuleId> {
    let path = [Part::Key("id")];
    let Some(text) = reader.text(fields, &path) else {
        reader.missing(fields, &path);
        return None;
    };
    let name = reader.file.rsplit('/').next().unwrap_or(reader.file);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    match text.parse::<RuleId>() {
        Ok(id) if text == name => return Some(id),
        Ok(id) => reader.problem(
            &path,
            format!("the id is {id}, and the file is named {name}: they have to be the same"),
        ),
        Err(error) => reader.problem(&path, error.to_string()),
    }
    None
}

fn on(reader: &mut Reader<'_>, fields: &Mapping) -> Vec<EventKind> {
    let known = EventKind::ALL.map(|kind| (kind.as_str(), kind));
    let on = reader.words(fields, &[Part::Key("on")], &known).unwrap_or_default();
    if on.is_empty() {
        return on;
    }
    // Every kind once, in one order.
    EventKind::ALL.into_iter().filter(|kind| on.contains(kind)).collect()
}

fn mode(reader: &mut Reader<'_>, fields: &Mapping) -> Mode {
    let path = [Part::Key("mode")];
    if reader.peek(fields, &path) == Some("scratch") {
        reader.problem(&path, "`scratch` is reserved: there are no scratch builds yet; `dry-run` shows what a rule would do");
        return Mode::Real;
    }
    let known = [Mode::Real, Mode::DryRun].map(|mode| (mode.as_str(), mode));
    reader.word(fields, &path, &known).unwrap_or_default()
}

fn condition(
    reader: &mut Reader<'_>,
    fields: &Mapping,
    path: &[Part<'_>],
    scope: Scope<'_>,
) -> Option<Condition> {
    let text = reader.text(fields, path)?;
    match Condition::compile(text, scope) {
        Ok(condition) => Some(condition),
        Err(problem) => {
            reader.problem_below(path, problem.line, problem.message);
            None
        }
    }
}

fn follow(reader: &mut Reader<'_>, fields: &Mapping, on: &[EventKind]) -> Vec<Follow> {
    let Some(entries) = reader.list(fields, &[Part::Key("follow")]) else { return Vec::new() };
    let mut follow: Vec<Follow> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = [Part::Key("follow"), Part::Index(index)];
        let Some(entry) = reader.fields(&at, entry, (&["edges", "when", "depth", "hours"], &[]))
        else {
            continue;
        };
        let field = |name| [Part::Key("follow"), Part::Index(index), Part::Key(name)];
        let known = EdgeKind::ALL.map(|kind| (kind.as_str(), kind));
        let read = Follow {
            edges: reader
                .words(entry, &field("edges"), &known)
                .unwrap_or_else(|| EdgeKind::ALL.to_vec()),
            when: condition(reader, entry, &field("when"), Scope { on, in_follow: true }),
            depth: reader
                .count(entry, &field("depth"))
                .map(|depth| u32::try_from(depth).unwrap_or(u32::MAX)),
            hours: reader.parsed(entry, &field("hours")),
        };
        let covers = |earlier: &Follow| {
            earlier.when.is_none()
                && earlier.depth.is_none()
                && read.edges.iter().all(|kind| earlier.edges.contains(kind))
        };
        let has_condition = |index: usize| entries[index].get("when").is_some();
        if let Some(first) = follow.iter().position(covers).filter(|first| !has_condition(*first)) {
            let first = first + 1;
            reader.problem(&at, format!("entry {first} of `follow` takes all these edges already: of several entries the first that fits decides"));
        }
        follow.push(read);
    }
    follow
}

fn limits(reader: &mut Reader<'_>, fields: &Mapping) -> Limits {
    let at = [Part::Key("limits")];
    let known = ["debounce", "debounce_at_most", "size", "hours"];
    let Some(value) = fields.get("limits") else { return Limits::default() };
    let Some(entry) = reader.fields(&at, value, (&known, &[])) else { return Limits::default() };
    let field = |name| [Part::Key("limits"), Part::Key(name)];
    let a_time = "a time, e.g. 90s or 10m";
    let limits = Limits {
        debounce: reader.read(entry, &field("debounce"), a_time, duration),
        debounce_at_most: reader.read(entry, &field("debounce_at_most"), a_time, duration),
        size: reader.count(entry, &field("size")),
        hours: reader.parsed(entry, &field("hours")),
    };
    if let (Some(quiet), Some(at_most)) = (limits.debounce, limits.debounce_at_most)
        && at_most < quiet
    {
        reader.problem(&field("debounce_at_most"), "`debounce_at_most` is shorter than `debounce`");
    }
    limits
}

/// What can be read, and does nothing or cannot be done.
fn check(reader: &mut Reader<'_>, rule: &Rule, fields: &Mapping) {
    let at = |name: &'static str| [Part::Key(name)];
    if rule.on.is_empty() && !fields.contains_key("on") {
        reader.problem(&[], "`on` is missing: the kinds of event the rule is asked about");
    }
    check_time(reader, rule, fields);
    let starts = rule.action.is_some_and(Action::starts);
    if rule.on.contains(&EventKind::BranchDeleted) && (starts || !rule.follow.is_empty()) {
        reader.problem(&at("on"), "when a branch is deleted there is nothing left to build or to test: a rule on branch-deleted can notify or leave");
    }
    let limits = rule.limits != Limits::default();
    match rule.action {
        Some(Action::Notify) if !rule.follow.is_empty() || limits => {
            let name = if limits { "limits" } else { "follow" };
            reader.problem(
                &at(name),
                "a rule that notifies starts no change: it follows nothing and needs no limits",
            );
        }
        Some(Action::Leave)
            if limits || rule.follow.iter().any(|follow| follow.hours.is_some()) =>
        {
            let name = if limits { "limits" } else { "follow" };
            reader.problem(
                &at(name),
                "a rule that leaves starts nothing: neither limits nor hours mean anything",
            );
        }
        None if rule.follow.is_empty()
            && !limits
            && rule.severity.is_none()
            && !fields.contains_key("do") =>
        {
            reader.problem(
                &[],
                "the rule does nothing: it has no `do`, no `follow`, no `limits` and no `severity`",
            );
        }
        _ => {}
    }
}

fn check_time(reader: &mut Reader<'_>, rule: &Rule, fields: &Mapping) {
    let at = |name: &'static str| [Part::Key(name)];
    let on_time = rule.on.contains(&EventKind::TimeElapsed);
    let has_every = fields.contains_key("every");
    if has_every && rule.on != [EventKind::TimeElapsed] {
        reader.problem(
            &at("every"),
            "a rule with `every` is on time-elapsed alone: `on: [time-elapsed]`",
        );
    }
    if on_time && rule.action.is_some() && !has_every {
        reader.problem(
            &at("on"),
            "a rule on time-elapsed that does something says how often: `every: 7d`",
        );
    }
    if has_every && rule.when.is_none() && !fields.contains_key("when") {
        reader.problem(
            &at("every"),
            "a rule with `every` says for which artifacts: `when: artifact.kind == \"containers\"`",
        );
    }
    if rule.every.is_some_and(|every| every < SHORTEST_EVERY) {
        reader.problem(&at("every"), "`every` is at least 1m");
    }
}

#[cfg(test)]
mod tests;
