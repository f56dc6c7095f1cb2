//! The dependency graph in memory: who needs whom, how, and by which package.
//!
//! A cache of the edges in the store: losing it costs time only. Artifacts and package names are interned, the edges lie
//! in two arrays sorted by their ends (CSR), eight bytes an edge and direction. The evidence of an edge stays in the
//! store; [`NamedEdge::find_in`] finds it again for the few edges a report shows.
//!
//! Whatever the order in which edges came in, every answer is in the order of artifact keys, edge kinds and package
//! names.

mod build;
mod components;
mod intern;
mod patch;
mod reach;
mod rows;

use model::artifact::ArtifactKey;
use model::edge::{Edge, EdgeKind};

pub use build::GraphBuilder;
pub use components::Component;
pub use reach::{Reached, Visit};

use intern::Interner;
use rows::{Half, Rows};

/// An artifact in a graph. It stays the same for the life of the graph, through every [`Graph::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

impl Node {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A package name in a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackageName(u32);

/// An edge of a graph, small enough to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EdgeRef {
    /// Who needs.
    pub dependent: Node,
    /// Who is needed.
    pub dependency: Node,
    /// How.
    pub kind: EdgeKind,
    /// The binary package of the dependency that is needed.
    pub package: PackageName,
}

/// An edge by its names, without its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedEdge<'a> {
    /// Who needs.
    pub dependent: &'a ArtifactKey,
    /// Who is needed.
    pub dependency: &'a ArtifactKey,
    /// How.
    pub kind: EdgeKind,
    /// The binary package of the dependency that is needed.
    pub package: &'a str,
}

impl<'a> From<&'a Edge> for NamedEdge<'a> {
    fn from(edge: &'a Edge) -> Self {
        Self {
            dependent: &edge.dependent,
            dependency: &edge.dependency,
            kind: edge.kind,
            package: &edge.package,
        }
    }
}

impl NamedEdge<'_> {
    /// The edge with its evidence among `edges`, which are the stored ones of the dependent.
    ///
    /// Several pieces of evidence may say the same; the least is taken, so that a report does not change from one asking
    /// to the next.
    pub fn find_in<'e>(&self, edges: &'e [Edge]) -> Option<&'e Edge> {
        edges.iter().filter(|edge| NamedEdge::from(*edge) == *self).min()
    }
}

/// The dependency graph.
///
/// Two graphs are equal when they hold the same edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    artifacts: Interner<ArtifactKey>,
    packages: Interner<String>,
    /// Each node's place in the order of keys: nodes that came later have higher numbers, not later places.
    places: Vec<u32>,
    dependencies: Rows,
    dependents: Rows,
}

impl Graph {
    /// Builds the graph of some edges.
    pub fn from_edges<'a>(edges: impl IntoIterator<Item = NamedEdge<'a>>) -> Self {
        let mut builder = GraphBuilder::default();
        edges.into_iter().for_each(|edge| builder.add(edge));
        builder.build()
    }

    /// The node of an artifact, if an edge ever named it.
    pub fn node(&self, artifact: &ArtifactKey) -> Option<Node> {
        self.artifacts.find(artifact).map(Node)
    }

    /// The artifact of a node.
    pub fn key(&self, node: Node) -> &ArtifactKey {
        self.artifacts.get(node.0)
    }

    /// An edge's names.
    pub fn name(&self, edge: EdgeRef) -> NamedEdge<'_> {
        NamedEdge {
            dependent: self.key(edge.dependent),
            dependency: self.key(edge.dependency),
            kind: edge.kind,
            package: self.packages.get(edge.package.0),
        }
    }

    /// Every node, by key.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        let mut nodes: Vec<Node> = self.artifacts.numbers().map(Node).collect();
        self.sort_nodes(&mut nodes);
        nodes.into_iter()
    }

    /// How many artifacts there are.
    pub fn node_count(&self) -> usize {
        self.artifacts.len()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.dependencies.len()
    }

    /// The edges to what needs this node, by dependent, kind and package.
    pub fn dependents(&self, node: Node) -> impl Iterator<Item = EdgeRef> {
        self.dependents.row(node.index()).iter().map(move |half| half.as_dependent_of(node))
    }

    /// The edges to what this node needs, by dependency, kind and package.
    pub fn dependencies(&self, node: Node) -> impl Iterator<Item = EdgeRef> {
        self.dependencies.row(node.index()).iter().map(move |half| half.as_dependency_of(node))
    }

    /// Every edge, by dependent, dependency, kind and package.
    pub fn edges(&self) -> impl Iterator<Item = NamedEdge<'_>> {
        self.nodes().flat_map(|node| self.dependencies(node)).map(|edge| self.name(edge))
    }

    fn place(&self, node: Node) -> u32 {
        self.places[node.index()]
    }

    fn sort_nodes(&self, nodes: &mut [Node]) {
        nodes.sort_unstable_by_key(|node| self.place(*node));
    }

    fn sort_row(&self, row: &mut [Half]) {
        row.sort_unstable_by(|a, b| self.compare_halves(*a, *b));
    }

    /// The order inside a row: by the artifact at the other end, the kind and the package's name.
    fn compare_halves(&self, a: Half, b: Half) -> std::cmp::Ordering {
        let by_key = self.place(a.other).cmp(&self.place(b.other));
        let names = || self.packages.get(a.package().0).cmp(self.packages.get(b.package().0));
        by_key.then(a.kind().cmp(&b.kind())).then_with(names)
    }
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.edge_count() == other.edge_count() && self.edges().eq(other.edges())
    }
}

impl Eq for Graph {}

#[cfg(test)]
mod tests;
