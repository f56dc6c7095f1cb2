//! Conditions in CEL: compiled with a check of names, fields and types, so that evaluating one cannot go wrong.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::objects::Value;
use cel::{Context, Env, ParseErrors, Program};
use model::artifact::ArtifactKey;
use model::edge::Edge;
use model::event::{Event, Severity};
use model::source::About;

use super::fields::{Plain, Values, of_artifact, of_edge, of_event};
use super::types::{Mentions, check};

pub use super::types::Scope;

/// How long a condition may be, in bytes. The longest that people write is a tenth of it.
const LONGEST: usize = 2_000;

/// How deep it may be nested: the parser takes some ten calls for each level, on whatever stack there is.
const DEEPEST: usize = 12;

/// A condition that is known to be true or false whatever it is asked about.
#[derive(Clone)]
pub struct Condition {
    text: String,
    program: Arc<Program>,
    mentions: Mentions,
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionProblem {
    /// The line of the condition's text, from 0.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// What conditions are evaluated with.
static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What their types are read with: nothing is rewritten, so that it is as somebody wrote it.
static AS_WRITTEN: LazyLock<Env> = LazyLock::new(|| Env::default().with_optional_support(false));

impl Condition {
    /// Compiles a condition that stands in this scope.
    ///
    /// # Errors
    /// The first [`ConditionProblem`].
    pub fn compile(text: &str, scope: Scope<'_>) -> Result<Self, ConditionProblem> {
        if text.len() > LONGEST {
            let message = format!("the condition is longer than {LONGEST} bytes");
            return Err(ConditionProblem { line: 0, message });
        }
        if is_deep(text) {
            let message = format!("the condition is nested deeper than {DEEPEST} levels");
            return Err(ConditionProblem { line: 0, message });
        }
        let written = AS_WRITTEN.compile(text).map_err(|errors| syntax(&errors))?;
        let mentions = check(written.expression(), scope).map_err(|problem| {
            let place = written.source_info().offset_for(problem.node);
            let before = place.map_or(0, |(start, _)| start as usize);
            let line = text.chars().take(before).filter(|c| *c == '\n').count();
            ConditionProblem { line, message: problem.message }
        })?;
        let program = STANDARD.compile(text).map_err(|errors| syntax(&errors))?;
        Ok(Self { text: text.trim().to_owned(), program: Arc::new(program), mentions })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The labels it asks about.
    pub(super) fn labels(&self) -> impl Iterator<Item = &String> {
        self.mentions.labels.iter()
    }

    /// Whether it asks what the `millstream.toml` of the event's artifact tells about it.
    pub(super) fn asks_about(&self) -> bool {
        let fields = &self.mentions.fields;
        fields.contains("artifact.teams") || fields.contains("artifact.labels")
    }

    /// Whether it asks about one of these, e.g. `event`.
    pub(super) fn mentions(&self, things: &[&str]) -> bool {
        let of = |field: &String| {
            things.iter().any(|thing| field.split_once('.').is_some_and(|(of, _)| of == *thing))
        };
        self.mentions.fields.iter().any(of)
    }

    /// The fields it asks about, with their values among these: `artifact.kind is "rpms"`.
    pub(super) fn values(&self, known: &[(&str, &Values)]) -> Vec<String> {
        let value = |field: &String| {
            let (thing, name) = field.split_once('.')?;
            let (_, values) = known.iter().find(|(of, _)| *of == thing)?;
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some(format!("{field} is {value}"))
        };
        self.mentions.fields.iter().filter_map(value).collect()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether brackets, signs, questions or dots are piled up higher than anybody reads.
fn is_deep(text: &str) -> bool {
    let (mut depth, mut signs, mut questions, mut dots) = (0_usize, 0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '?' => questions += 1,
            _ => {}
        }
        match character {
            '!' | '-' => signs += 1,
            _ if character.is_whitespace() => {}
            _ => signs = 0,
        }
        // A chain of members has no blanks in it, nor operators between its dots.
        match character {
            '.' => dots += 1,
            '&' | '|' | '=' | '<' | '>' | ',' => dots = 0,
            _ => {}
        }
        if [depth, signs, questions, dots].iter().any(|count| *count > DEEPEST) {
            return true;
        }
    }
    false
}

/// The first complaint of the parser, without its own idea of the file.
fn syntax(errors: &ParseErrors) -> ConditionProblem {
    let Some(first) = errors.errors.first() else {
        return ConditionProblem { line: 0, message: "this is no condition".to_owned() };
    };
    let line = usize::try_from(first.pos.0 - 1).unwrap_or(0);
    ConditionProblem { line, message: first.msg.clone() }
}

/// What conditions are asked about: an event and its artifact.
pub(super) struct Facts<'l> {
    context: Context<'static, 'static>,
    labels: &'l BTreeSet<String>,
}

impl<'l> Facts<'l> {
    /// The facts of an event; `labels` are all those that any condition asks about.
    pub(super) fn of(event: &Event, about: &About, labels: &'l BTreeSet<String>) -> Self {
        let mut context = Context::with_env(Arc::clone(&STANDARD));
        for severity in Severity::ALL {
            context.add_variable_from_value(severity.as_str(), rank(severity));
        }
        context.add_variable_from_value("event", value(of_event(event), labels));
        let artifact = of_artifact(event.artifact(), about);
        context.add_variable_from_value("artifact", value(artifact, labels));
        Self { context, labels }
    }

    /// Whether a condition holds.
    pub(super) fn hold(&self, condition: &Condition) -> bool {
        holds(condition, &self.context)
    }

    /// Whether a condition holds at an edge.
    pub(super) fn hold_at(&self, condition: &Condition, edge: &Edge, ends: [&About; 2]) -> bool {
        let mut context = self.context.new_inner_scope();
        let names = ["dependent", "dependency"];
        for ((name, key), about) in
            names.into_iter().zip([&edge.dependent, &edge.dependency]).zip(ends)
        {
            if condition.mentions(&[name]) {
                context.add_variable_from_value(name, self.artifact(key, about));
            }
        }
        if condition.mentions(&["edge"]) {
            context.add_variable_from_value("edge", value(of_edge(edge), self.labels));
        }
        holds(condition, &context)
    }

    fn artifact(&self, key: &ArtifactKey, about: &About) -> Value {
        value(of_artifact(key, about), self.labels)
    }
}

/// What its types promise cannot go wrong; should it all the same, the condition does not hold.
fn holds(condition: &Condition, context: &Context<'_, '_>) -> bool {
    matches!(condition.program.execute(context), Ok(Value::Bool(true)))
}

fn rank(severity: Severity) -> i64 {
    Severity::ALL.iter().position(|known| *known == severity).map_or(0, |at| at as i64)
}

fn value(values: Values, labels: &BTreeSet<String>) -> Value {
    let field = |(name, plain): (&'static str, Plain)| {
        let value = match plain {
            Plain::Truth(truth) => Value::Bool(truth),
            Plain::Severity(severity) => Value::Int(rank(severity)),
            Plain::Text(text) => Value::from(text),
            Plain::Texts(texts) => Value::from(texts),
            Plain::Labels(mut set) => {
                // A label that is not set is an empty text, rather than an error in the middle of a plan.
                for label in labels {
                    set.entry(label.clone()).or_default();
                }
                Value::from(set.into_iter().collect::<HashMap<String, String>>())
            }
        };
        (name, value)
    };
    Value::from(values.into_iter().map(field).collect::<HashMap<&str, Value>>())
}

#[cfg(test)]
mod tests {
    use super::super::EventKind;
    use super::*;

    fn event() -> Event {
        Event::Committed {
            artifact: "containers/web#f44".parse().unwrap(),
            commit: "1".repeat(40).parse().unwrap(),
            previous: None,
            forced: false,
            severity: Severity::Important,
            subject: "Fix the door".to_owned(),
        }
    }

    fn edge() -> Edge {
        Edge {
            dependent: "containers/web#f44".parse().unwrap(),
            dependency: "rpms/zlib#f44".parse().unwrap(),
            kind: model::edge::EdgeKind::Contains,
            package: "zlib".to_owned(),
            evidence: model::edge::Evidence::Spec {
                commit: "1".repeat(40).parse().unwrap(),
                capability: "zlib".to_owned(),
            },
        }
    }

    fn about(teams: &[&str]) -> About {
        About {
            teams: teams.iter().map(|&team| team.to_owned()).collect(),
            labels: [("tier".to_owned(), "base".to_owned())].into(),
        }
    }

    const SCOPE: Scope<'_> = Scope { on: &[EventKind::Committed], in_follow: true };

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let condition = Condition::compile(text, SCOPE).unwrap_or_else(|error| panic!("{error}"));
        let labels = condition.labels().cloned().collect();
        let (own, none) = (about(&["security", "web"]), About::default());
        let facts = Facts::of(&event(), &own, &labels);
        assert_eq!(facts.hold_at(&condition, &edge(), [&own, &none]), expected, "{text}");
    }

    #[track_caller]
    fn refused(text: &str, in_follow: bool, expected: &str) {
        let scope = Scope { in_follow, ..SCOPE };
        let problem = Condition::compile(text, scope).expect_err(text);
        assert!(problem.message.contains(expected), "{text}: {problem}");
    }

    #[test]
    fn conditions_ask_about_event_artifact_and_edge() {
        check("artifact.kind == \"containers\" && artifact.name.startsWith('we')", true);
        check("event.severity >= important", true);
        check("event.severity > important || event.forced", false);
        check("event.severity in [low, important]", true);
        check("\"security\" in dependent.teams && !(\"security\" in dependency.teams)", true);
        check("dependent.labels.tier == \"base\"", true);
        check("dependency.labels.tier == \"base\" || dependency.labels[\"owner\"] != \"\"", false);
        check("edge.kind in [\"contains\", \"layered-on\"] && edge.package == \"zlib\"", true);
        check("dependent.teams.exists(team, team.endsWith(\"eb\"))", true);
        check("dependent.teams.all(none, none.size() > 3)", false);
        check("size(dependent.teams) == 2 ? event.subject.contains(\"door\") : false", true);
        check("dependency.branch == artifact.branch", true);
    }

    #[test]
    fn what_is_not_known_is_named_with_what_is() {
        refused(
            "artefact.kind == 'rpms'",
            false,
            "there is no `artefact`: there are artifact, event",
        );
        refused("artifact.nam == 'x'", false, "it has branch, kind, labels, name, teams");
        refused("artifact.kind == 'image'", false, "one of rpms, containers, composes");
        refused("artifact.kind in ['rpms', 'rpm']", false, "`kind` is never \"rpm\"");
        refused("edge.kind == 'contains'", false, "known to conditions in `follow` only");
        refused("event.request == 'rebuild'", true, "known of requested events only");
        refused("event.severity == 'important'", true, "without quotes");
        refused("artifact.teams.any(t, t == 'x')", true, "there is no function `any`");
        refused("name == 'zlib'", true, "texts stand in quotes");
    }

    #[test]
    fn types_have_to_fit() {
        refused("artifact.name", true, "true or false, and this is a text");
        refused("artifact.name && event.forced", true, "has to be true or false, and is a text");
        refused("artifact.name == 3", true, "a text is compared with a number");
        refused("artifact.name < 'b'", true, "severities and numbers have an order");
        refused("'a' in artifact.name", true, "`in` looks in a list, and this is a text");
        refused("3 in artifact.teams", true, "a number is looked for in a list of a text");
        refused("'tier' in artifact.labels", true, "an empty text");
        refused("has(artifact.labels.tier)", true, "an empty text");
        refused("artifact.teams[0] == 'x'", true, "no numbered parts");
        refused("size(artifact.teams) + 1 == 2", true, "does not calculate");
        refused("artifact.name.matches('a.*')", true, "there is no function `matches`");
        refused("dependent.teams.exists(t, t)", true, "has to be true or false");
        refused("[] == []", true, "the list is empty");
        refused("event == artifact", true, "an event is compared with an artifact");
        refused("null == null", true, "no null");
    }

    #[test]
    fn what_is_no_cel_is_refused_with_its_line() {
        let problem =
            Condition::compile("event.forced &&\n  artifact.nam == 'x'", SCOPE).unwrap_err();
        assert_eq!(problem.line, 1, "{problem}");
        for text in ["", "artifact.kind ==", "a b", "\"", "((((", "artifact.?kind == 'x'"] {
            assert!(Condition::compile(text, SCOPE).is_err(), "{text:?} was accepted");
        }
    }

    /// Each of these would take the parser, or the checker, deeper than a thread's stack.
    #[test]
    fn towers_are_refused_before_they_fall() {
        let nested = |open: &str, close: &str, times: usize| {
            format!("{}true{}", open.repeat(times), close.repeat(times))
        };
        for text in [
            nested("(", ")", 900),
            nested("[", "]", 900),
            nested("{1:", "}", 300),
            nested("!", "", 1_900),
            nested("- ", "", 900),
            nested("true ? ", " : false", 100),
            format!("artifact{}", ".name".repeat(300)),
            format!("artifact{}", ".name()".repeat(200)),
        ] {
            let problem = Condition::compile(&text, SCOPE).expect_err(&text);
            assert!(problem.message.contains("nested deeper"), "{text}: {problem}");
        }
    }

    #[test]
    fn long_conditions_are_no_towers() {
        check(&nested_true(12), true);
        let many = vec!["artifact.name == \"web\""; 60].join(" || ");
        check(&many, true);
        let flat = vec!["event.forced"; 140].join("&&");
        check(&flat, false);
        let names: Vec<String> = (0..150).map(|n| format!("\"n{n}\"")).collect();
        check(&format!("artifact.name in [{}]", names.join(", ")), false);
        for operator in ["==", "<", "+", "*", " in "] {
            let chain = vec!["1"; 1_990 / (operator.len() + 1)].join(operator);
            assert!(Condition::compile(&chain, SCOPE).is_err());
        }
        assert!(Condition::compile(&"a".repeat(2_001), SCOPE).is_err());
    }

    fn nested_true(times: usize) -> String {
        format!("{}true{}", "(".repeat(times), ")".repeat(times))
    }
}
