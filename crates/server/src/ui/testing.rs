//! What the tests of pages share.

use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::Severity;
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use pipeline::plan::{Ground, Published, Request, Root, Rules, make};

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
    let event = mint();
    let reason = Reason::Requested { event, by: "ann".to_owned(), reason: "so".to_owned() };
    let root = Root {
        artifact: edges[0].dependency.clone(),
        commit: commit(),
        action: RootAction::Rebuild,
        reason,
        severity: Severity::None,
        event,
    };
    let request = Request {
        id: mint(),
        parent: None,
        branch: "f44".parse().unwrap(),
        created: Timestamp(0),
        origin: Timestamp(0),
        start: Timestamp(0),
        roots: vec![root],
    };
    let published = edges.iter().map(published).collect();
    let ground = Ground { edges, published, ..Ground::default() };
    let default_duration = Duration::from_secs(10);
    make(request, &ground, &Rules { max_rounds: 3, capacity: 1, default_duration })
}
