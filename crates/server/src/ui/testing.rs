//! What the tests of pages share.

use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Severity};
use model::id::EventId;
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use model::rule::PlanMode;
use model::source::About;
use pipeline::plan::{Ground, Published, Request, Root, Setup, make};
use pipeline::rules::matching::Answer;
use pipeline::rules::passage::Route;
use pipeline::rules::shipped;

use crate::clock::mint;

/// A plan in which the first artifact changed; `a<b` says that `b` needs `a`.
pub(super) fn plan(edges: &str) -> Plan {
    let key = |name: &str| -> ArtifactKey { format!("rpms/{name}#f44").parse().unwrap() };
    let commit = || "c".repeat(40).parse().unwrap();
    let edge = |text: &str| {
        let (dependency, dependent) = text.split_once('<').unwrap();
        Edge {
            dependent: key(dependent),
            dependency: key(dependency),
            kind: EdgeKind::BuildRequires,
            package: dependency.to_owned(),
            evidence: Evidence::Spec { commit: commit(), capability: String::new() },
        }
    };
    let edges: Vec<Edge> = edges.split_whitespace().map(edge).collect();
    let published =
        |edge: &Edge| (edge.dependent.clone(), Published { build: mint(), commit: commit() });
    let event: EventId = mint();
    let reason = Reason::Requested { event, by: "ann".to_owned(), reason: "so".to_owned() };
    let root = Root {
        artifact: edges[0].dependency.clone(),
        commit: commit(),
        action: RootAction::Rebuild,
        reason,
        severity: Severity::None,
        event,
        rule: None,
        hours: None,
    };
    let request = Request {
        id: mint(),
        parent: None,
        branch: "f44".parse().unwrap(),
        created: Timestamp(0),
        origin: Timestamp(0),
        start: Timestamp(0),
        mode: PlanMode::Real,
        approval: None,
        roots: vec![root],
        routes: [(event, route())].into(),
    };
    let published = edges.iter().map(published).collect();
    let ground = Ground { edges, published, ..Ground::default() };
    let default_duration = Duration::from_secs(10);
    make(request, &ground, &Setup { max_rounds: 3, capacity: 1, default_duration })
}

/// How far a commit goes by the shipped rules.
fn route() -> Route {
    let event = Event::Committed {
        artifact: "rpms/a#f44".parse().unwrap(),
        commit: "c".repeat(40).parse().unwrap(),
        previous: None,
        forced: false,
        severity: Severity::None,
        subject: "so".to_owned(),
    };
    match shipped::set().ask(&event, &About::default()).answer() {
        Answer::Start(launch) => launch.route,
        Answer::Nothing { sentence, .. } => panic!("{sentence}"),
    }
}
