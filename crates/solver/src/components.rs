//! Cycles and tiers of a directed graph: its strongly connected components, in the order of what they need.
//!
//! ```
//! use solver::components::components;
//! use solver::tables::Lists;
//!
//! // 0 needs 1, which needs 2, which needs 1.
//! let graph = Lists::from_pairs(3, &[(0, 1), (1, 2), (2, 1)]);
//! let found = components(&graph, 0..3);
//! let tiers: Vec<(&[u32], u32)> =
//!     found.iter().map(|component| (component.members.as_slice(), component.tier)).collect();
//! assert_eq!(tiers, [(&[1, 2][..], 0), (&[0][..], 1)]);
//! ```

use crate::tables::Lists;

/// A directed graph as compressed sparse rows: by node, a slice of its edges.
pub trait Rows {
    /// What a row holds for an edge.
    type Edge;

    /// How many nodes there are; they are numbered from 0.
    fn node_count(&self) -> usize;

    /// The edges of a node.
    fn row(&self, node: u32) -> &[Self::Edge];

    /// The node that an edge of `node` leads to; none if the edge does not count. The answer for one edge is always the
    /// same.
    fn target(&self, node: u32, edge: &Self::Edge) -> Option<u32>;
}

impl Rows for Lists {
    type Edge = u32;

    fn node_count(&self) -> usize {
        self.len()
    }

    fn row(&self, node: u32) -> &[u32] {
        self.get(node)
    }

    fn target(&self, _: u32, edge: &u32) -> Option<u32> {
        Some(*edge)
    }
}

/// Nodes that reach one another; mostly a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The members, by number.
    pub members: Vec<u32>,
    /// One more than the highest tier among the components its members lead to; 0 if there is none.
    pub tier: u32,
}

/// The strongly connected components of what can be reached from some nodes. Each comes behind those its members lead
/// to.
///
/// # Panics
/// When a start, or the target of an edge, is no node.
pub fn components<G: Rows>(graph: &G, starts: impl IntoIterator<Item = u32>) -> Vec<Component> {
    let count = graph.node_count();
    let mut search = Search {
        graph,
        found: vec![NONE; count],
        low: vec![NONE; count],
        open: Vec::new(),
        component: vec![NONE; count],
        components: Vec::new(),
        count: 0,
    };
    for node in starts {
        if search.found[node as usize] == NONE {
            search.run(node);
        }
    }
    search.components
}

/// A node that was not found yet, or has no component yet.
const NONE: u32 = u32::MAX;

/// Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972) with a stack of its own: a recursion as deep
/// as the graph would overflow the thread's.
struct Search<'g, G: Rows> {
    graph: &'g G,
    /// When a node was found, counted from 0.
    found: Vec<u32>,
    /// The earliest node of its component known to be reachable.
    low: Vec<u32>,
    /// Found nodes whose component is not complete.
    open: Vec<u32>,
    /// The component of each node that has one.
    component: Vec<u32>,
    components: Vec<Component>,
    count: u32,
}

/// A node under way, with the edges that are still to be looked at.
struct Frame<'g, E> {
    node: u32,
    rest: std::slice::Iter<'g, E>,
}

impl<'g, G: Rows> Search<'g, G> {
    fn run(&mut self, start: u32) {
        let mut frames = vec![self.enter(start)];
        while let Some(frame) = frames.last_mut() {
            let node = frame.node;
            if let Some(edge) = frame.rest.next() {
                if let Some(target) = self.graph.target(node, edge) {
                    frames.extend(self.look(node, target));
                }
                continue;
            }
            frames.pop();
            self.leave(node);
            if let Some(parent) = frames.last() {
                self.lower(parent.node, self.low[node as usize]);
            }
        }
    }

    fn enter(&mut self, node: u32) -> Frame<'g, G::Edge> {
        self.found[node as usize] = self.count;
        self.low[node as usize] = self.count;
        self.count += 1;
        self.open.push(node);
        Frame { node, rest: self.graph.row(node).iter() }
    }

    /// Looks along an edge: a node not found yet is entered.
    fn look(&mut self, from: u32, to: u32) -> Option<Frame<'g, G::Edge>> {
        if self.found[to as usize] == NONE {
            return Some(self.enter(to));
        }
        if self.component[to as usize] == NONE {
            self.lower(from, self.found[to as usize]);
        }
        None
    }

    fn lower(&mut self, node: u32, to: u32) {
        let low = &mut self.low[node as usize];
        *low = (*low).min(to);
    }

    /// Ends a node; if no earlier one can be reached from it, what is open since then is a component.
    fn leave(&mut self, node: u32) {
        if self.low[node as usize] != self.found[node as usize] {
            return;
        }
        let number = self.components.len() as u32;
        let first = self.open.iter().rposition(|open| *open == node).unwrap_or(0);
        let mut members = self.open.split_off(first);
        for &member in &members {
            self.component[member as usize] = number;
            // Whoever led here is no member.
            self.low[member as usize] = NONE;
        }
        members.sort_unstable();
        let tiers = members.iter().filter_map(|member| self.tier_above(*member, number));
        let tier = tiers.max().unwrap_or(0);
        self.components.push(Component { members, tier });
    }

    /// One more than the highest tier a node leads to outside its own component, all of which are complete by now.
    fn tier_above(&self, node: u32, own: u32) -> Option<u32> {
        let row = self.graph.row(node).iter();
        let targets = row.filter_map(|edge| self.graph.target(node, edge));
        let others = targets.map(|target| self.component[target as usize]);
        let others = others.filter(|component| *component != own);
        others.map(|component| self.components[component as usize].tier + 1).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `MEMBERS@TIER` of each component of a graph that is written as `FROM>TO`.
    fn check(count: usize, edges: &str, expected: &str) {
        let node = |text: &str| text.parse::<u32>().unwrap();
        let pairs = edges.split_whitespace().map(|edge| edge.split_once('>').unwrap());
        let pairs: Vec<(u32, u32)> = pairs.map(|(from, to)| (node(from), node(to))).collect();
        let found = components(&Lists::from_pairs(count, &pairs), 0..count as u32);
        let shown = found.iter().map(|component| {
            let members: Vec<String> = component.members.iter().map(u32::to_string).collect();
            format!("{}@{}", members.join(","), component.tier)
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn finds_cycles_and_tiers() {
        check(5, "0>1 1>2 2>1 2>3 4>0", "3@0 1,2@1 0@2 4@3");
        check(3, "0>0 1>0", "0@0 1@1 2@0");
        check(4, "0>1 1>0 2>3 3>2 3>0", "0,1@0 2,3@1");
        check(0, "", "");
    }

    #[test]
    fn looks_no_further_than_it_can_get() {
        let graph = Lists::from_pairs(3, &[(1, 0), (2, 1)]);
        assert_eq!(components(&graph, [1]).len(), 2);
    }

    proptest! {
        #[test]
        fn members_reach_one_another_and_tiers_rise(
            pairs in prop::collection::vec((0u32..12, 0u32..12), 0..40),
        ) {
            let graph = Lists::from_pairs(12, &pairs);
            let mut reach: [[bool; 12]; 12] =
                std::array::from_fn(|from| std::array::from_fn(|to| from == to));
            for &(from, to) in &pairs {
                reach[from as usize][to as usize] = true;
            }
            for (through, from) in (0..12).flat_map(|through| (0..12).map(move |from| (through, from))) {
                for to in 0..12 {
                    reach[from][to] |= reach[from][through] && reach[through][to];
                }
            }
            let found = components(&graph, 0..12);
            let of = |node: u32| found.iter().position(|one| one.members.contains(&node)).unwrap();
            for (one, other) in (0..12u32).flat_map(|one| (0..12u32).map(move |other| (one, other))) {
                let together = reach[one as usize][other as usize] && reach[other as usize][one as usize];
                prop_assert_eq!(of(one) == of(other), together);
            }
            for (at, component) in found.iter().enumerate() {
                let outside = pairs.iter().filter(|(from, to)| of(*from) == at && of(*to) != at);
                let tier = outside.map(|(_, to)| found[of(*to)].tier + 1).max().unwrap_or(0);
                prop_assert_eq!(component.tier, tier);
            }
        }
    }
}
