//! What conditions may ask: the fields of events, artifacts and edges, with their types and their values.

use std::collections::BTreeMap;
use std::fmt;

use model::artifact::{ArtifactKey, ArtifactKind};
use model::edge::{Edge, EdgeKind};
use model::event::{Event, Request, Severity};
use model::source::About;
use model::test::Outcome;

use super::EventKind;
use super::types::Type;

/// Something that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Event,
    Artifact,
    Edge,
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Type,
    /// The only kind of event that tells it; every one if there is none.
    pub(super) told_by: Option<EventKind>,
}

impl Thing {
    /// The fields it has, by name.
    pub(super) fn fields(self) -> Vec<Field> {
        use EventKind::{Committed, Requested, TestResult};
        let always = |name, of| Field { name, of, told_by: None };
        let told = |name, of, by| Field { name, of, told_by: Some(by) };
        match self {
            Self::Event => vec![
                told("by", Type::Text, Requested),
                told("case", Type::Text, TestResult),
                told("forced", Type::Truth, Committed),
                always("kind", Type::Word(event_kinds)),
                told("nvr", Type::Text, TestResult),
                told("outcome", Type::Word(outcomes), TestResult),
                told("reason", Type::Text, Requested),
                told("request", Type::Word(requests), Requested),
                always("severity", Type::Severity),
                told("subject", Type::Text, Committed),
            ],
            Self::Artifact => vec![
                always("branch", Type::Text),
                always("kind", Type::Word(artifact_kinds)),
                always("labels", Type::Labels),
                always("name", Type::Text),
                always("teams", Type::List(Box::new(Type::Text))),
            ],
            Self::Edge => {
                vec![always("kind", Type::Word(edge_kinds)), always("package", Type::Text)]
            }
        }
    }
}

fn event_kinds() -> Vec<&'static str> {
    EventKind::ALL.map(EventKind::as_str).to_vec()
}

fn artifact_kinds() -> Vec<&'static str> {
    ArtifactKind::ALL.map(ArtifactKind::as_str).to_vec()
}

fn edge_kinds() -> Vec<&'static str> {
    EdgeKind::ALL.map(EdgeKind::as_str).to_vec()
}

fn requests() -> Vec<&'static str> {
    vec!["rebuild", "retest"]
}

fn outcomes() -> Vec<&'static str> {
    Outcome::ALL.map(|(_, text)| text).to_vec()
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Truth(bool),
    Severity(Severity),
    Text(String),
    Texts(Vec<String>),
    Labels(BTreeMap<String, String>),
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Severity(severity) => write!(f, "{severity}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Texts(texts) => write!(f, "{texts:?}"),
            Self::Labels(labels) => write!(f, "{labels:?}"),
        }
    }
}

/// Fields with their values.
pub(super) type Values = Vec<(&'static str, Plain)>;

/// What an event tells; its severity is the graver of its own and what rules say.
pub(super) fn of_event(event: &Event) -> Values {
    let text = |text: &str| Plain::Text(text.to_owned());
    let mut values =
        vec![("kind", text(event.kind())), ("severity", Plain::Severity(event.severity()))];
    match event {
        Event::Committed { forced, subject, .. } => {
            values.extend([("forced", Plain::Truth(*forced)), ("subject", text(subject))]);
        }
        Event::Requested { request, by, reason, .. } => {
            let request = match request {
                Request::Rebuild => "rebuild",
                Request::Retest => "retest",
            };
            values.extend([("request", text(request)), ("by", text(by)), ("reason", text(reason))]);
        }
        Event::TestResult { nvr, case, outcome, .. } => {
            let outcome = text(outcome.as_str());
            values.extend([("nvr", text(nvr)), ("case", text(case)), ("outcome", outcome)]);
        }
        Event::BranchDeleted { .. } | Event::TimeElapsed { .. } | Event::Built { .. } => {}
    }
    values
}

/// What is known of an artifact.
pub(super) fn of_artifact(artifact: &ArtifactKey, about: &About) -> Values {
    vec![
        ("branch", Plain::Text(artifact.branch.to_string())),
        ("kind", Plain::Text(artifact.kind.as_str().to_owned())),
        ("labels", Plain::Labels(about.labels.clone())),
        ("name", Plain::Text(artifact.name.to_string())),
        ("teams", Plain::Texts(about.teams.clone())),
    ]
}

/// What is known of an edge beside its ends.
pub(super) fn of_edge(edge: &Edge) -> Values {
    vec![
        ("kind", Plain::Text(edge.kind.as_str().to_owned())),
        ("package", Plain::Text(edge.package.clone())),
    ]
}
