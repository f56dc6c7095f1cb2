//! Builds a graph from edges that come in one by one, in any order.

use model::artifact::ArtifactKey;

use super::intern::Interner;
use super::rows::{Half, Rows};
use super::{Graph, NamedEdge, Node, PackageName};

/// Collects edges for a graph. Each is reduced to twelve bytes at once, so that rows can stream in from a store.
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    artifacts: Interner<ArtifactKey>,
    packages: Interner<String>,
    edges: Vec<(Node, Half)>,
}

impl GraphBuilder {
    /// Adds an edge. The same edge twice, with two pieces of evidence, is one.
    pub fn add(&mut self, edge: NamedEdge<'_>) {
        let dependent = Node(self.artifacts.intern(edge.dependent));
        let dependency = Node(self.artifacts.intern(edge.dependency));
        let package = PackageName(self.packages.intern(edge.package));
        self.edges.push((dependent, Half::new(dependency, edge.kind, package)));
    }

    /// Sorts the edges into a graph.
    pub fn build(self) -> Graph {
        let Self { mut artifacts, mut packages, mut edges } = self;
        // Numbered by name, edges can be sorted by numbers alone.
        let (nodes, names) = (artifacts.sort(), packages.sort());
        for (dependent, half) in &mut edges {
            *dependent = Node(nodes[dependent.index()]);
            let other = Node(nodes[half.other.index()]);
            *half = Half::new(other, half.kind(), PackageName(names[half.package().0 as usize]));
        }
        edges.sort_unstable_by_key(|(dependent, half)| (*dependent, half.other, half.label()));
        edges.dedup();

        let dependencies = forward(artifacts.len(), edges);
        let dependents = backward(artifacts.len(), &dependencies);
        let places = artifacts.numbers().collect();
        Graph { artifacts, packages, places, dependencies, dependents }
    }
}

fn forward(nodes: usize, sorted: Vec<(Node, Half)>) -> Rows {
    let starts = starts(nodes, sorted.iter().map(|(dependent, _)| *dependent));
    Rows::new(starts, sorted.into_iter().map(|(_, half)| half).collect())
}

/// Turns the rows around by counting; as the dependents are gone through in order, each new row is sorted at once.
fn backward(nodes: usize, forward: &Rows) -> Rows {
    let all = (0..nodes).flat_map(|node| forward.row(node));
    let starts = starts(nodes, all.map(|half| half.other));
    let mut next = starts.clone();
    let mut halves =
        vec![Half::new(Node(0), model::edge::EdgeKind::Requires, PackageName(0)); forward.len()];
    for dependent in 0..nodes {
        for half in forward.row(dependent) {
            let slot = &mut next[half.other.index()];
            halves[*slot as usize] = half.turned_to(Node(dependent as u32));
            *slot += 1;
        }
    }
    Rows::new(starts, halves)
}

/// Where each node's row starts, from the node of every edge.
fn starts(nodes: usize, owners: impl Iterator<Item = Node>) -> Vec<u32> {
    let mut starts = vec![0; nodes + 1];
    owners.for_each(|owner| starts[owner.index() + 1] += 1);
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
    starts
}
