//! Cycles and tiers: strongly connected components in the order of their dependencies.

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

/// A node that is not in the subset, or was not looked at yet.
const NONE: u32 = u32::MAX;

/// Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972) with a stack of its own: a recursion as deep
/// as the graph would overflow the thread's.
struct Search<'a> {
    graph: &'a Graph,
    /// The subset, as a set.
    included: Vec<bool>,
    /// When a node was found, counted from 0.
    found: Vec<u32>,
    /// The earliest node of its component known to be reachable; `NONE` once the component is complete.
    low: Vec<u32>,
    /// Found nodes whose component is not complete.
    open: Vec<Node>,
    /// The component of each node that has one.
    component: Vec<u32>,
    components: Vec<Component>,
    count: u32,
}

/// A node under way, with the edges that are still to be looked at.
struct Frame<'a> {
    node: Node,
    rest: std::slice::Iter<'a, Half>,
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
        let nodes: Vec<Node> = subset.into_iter().collect();
        let mut search = Search::new(self, &nodes);
        for node in nodes {
            if search.found[node.index()] == NONE {
                search.run(node, &follow);
            }
        }
        let mut components = search.components;
        components.sort_by_cached_key(|component| {
            (component.tier, component.members.first().map(|node| self.place(*node)))
        });
        components
    }
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, nodes: &[Node]) -> Self {
        let size = graph.node_count();
        let mut included = vec![false; size];
        nodes.iter().for_each(|node| included[node.index()] = true);
        Self {
            graph,
            included,
            found: vec![NONE; size],
            low: vec![NONE; size],
            open: Vec::new(),
            component: vec![NONE; size],
            components: Vec::new(),
            count: 0,
        }
    }

    fn run(&mut self, start: Node, follow: &impl Fn(EdgeRef) -> bool) {
        let mut frames = vec![self.enter(start)];
        while let Some(frame) = frames.last_mut() {
            let node = frame.node;
            if let Some(half) = frame.rest.next() {
                if self.included[half.other.index()] && follow(half.as_dependency_of(node)) {
                    frames.extend(self.look(node, half.other));
                }
                continue;
            }
            frames.pop();
            self.leave(node, follow);
            if let Some(parent) = frames.last() {
                self.lower(parent.node, self.low[node.index()]);
            }
        }
    }

    fn enter(&mut self, node: Node) -> Frame<'a> {
        self.found[node.index()] = self.count;
        self.low[node.index()] = self.count;
        self.count += 1;
        self.open.push(node);
        Frame { node, rest: self.graph.dependencies.row(node.index()).iter() }
    }

    /// Looks along an edge: a node not found yet is entered.
    fn look(&mut self, from: Node, to: Node) -> Option<Frame<'a>> {
        if self.found[to.index()] == NONE {
            return Some(self.enter(to));
        }
        if self.component[to.index()] == NONE {
            self.lower(from, self.found[to.index()]);
        }
        None
    }

    fn lower(&mut self, node: Node, to: u32) {
        let low = &mut self.low[node.index()];
        *low = (*low).min(to);
    }

    /// Ends a node; if no earlier one can be reached from it, what is open since then is a component.
    fn leave(&mut self, node: Node, follow: &impl Fn(EdgeRef) -> bool) {
        if self.low[node.index()] != self.found[node.index()] {
            return;
        }
        let number = self.components.len() as u32;
        let first = self.open.iter().rposition(|open| *open == node).unwrap_or(0);
        let mut members = self.open.split_off(first);
        for member in &members {
            self.component[member.index()] = number;
            self.low[member.index()] = NONE;
        }
        self.graph.sort_nodes(&mut members);
        let tier = members.iter().filter_map(|member| self.tier_above(*member, number, follow));
        let tier = tier.max().unwrap_or(0);
        self.components.push(Component { members, tier });
    }

    /// One more than the highest tier a node needs outside its own component, all of which are complete by now.
    fn tier_above(&self, node: Node, own: u32, follow: &impl Fn(EdgeRef) -> bool) -> Option<u32> {
        let row = self.graph.dependencies.row(node.index()).iter();
        row.filter_map(|half| {
            let component = self.component[half.other.index()];
            let counts = component != own && component != NONE;
            (counts && follow(half.as_dependency_of(node)))
                .then(|| self.components[component as usize].tier + 1)
        })
        .max()
    }
}
