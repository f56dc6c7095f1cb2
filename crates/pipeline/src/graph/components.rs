//! Cycles and tiers among some of a graph's artifacts, as the solver finds them.

use solver::components;

use super::rows::Half;
use super::{EdgeRef, Graph, Node};

/// Artifacts that need one another, directly or through others; mostly a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The members, by key.
    pub members: Vec<Node>,
    /// One more than the highest tier among its dependencies; 0 if it has none.
    pub tier: u32,
}

/// The part of a graph that is looked at.
struct Part<'g, F> {
    graph: &'g Graph,
    /// The subset, as a set.
    included: Vec<bool>,
    follow: F,
}

impl<F: Fn(EdgeRef) -> bool> components::Rows for Part<'_, F> {
    type Edge = Half;

    fn node_count(&self) -> usize {
        self.included.len()
    }

    fn row(&self, node: u32) -> &[Half] {
        self.graph.dependencies.row(node as usize)
    }

    fn target(&self, node: u32, half: &Half) -> Option<u32> {
        let counts =
            self.included[half.other.index()] && (self.follow)(half.as_dependency_of(Node(node)));
        counts.then_some(half.other.0)
    }
}

impl Graph {
    /// The strongly connected components of the subset, looking only at edges inside it that `follow` wants.
    ///
    /// Dependencies come first: the components are sorted by tier, then by the key of their first member.
    pub fn components(
        &self,
        subset: impl IntoIterator<Item = Node>,
        follow: impl Fn(EdgeRef) -> bool,
    ) -> Vec<Component> {
        let nodes: Vec<u32> = subset.into_iter().map(|node| node.0).collect();
        let mut included = vec![false; self.node_count()];
        nodes.iter().for_each(|node| included[*node as usize] = true);
        let part = Part { graph: self, included, follow };
        let found = components::components(&part, nodes).into_iter();
        let mut components: Vec<Component> = found.map(|component| self.named(component)).collect();
        components.sort_by_cached_key(|component| {
            (component.tier, component.members.first().map(|node| self.place(*node)))
        });
        components
    }

    fn named(&self, component: components::Component) -> Component {
        let mut members: Vec<Node> = component.members.into_iter().map(Node).collect();
        self.sort_nodes(&mut members);
        Component { members, tier: component.tier }
    }
}
