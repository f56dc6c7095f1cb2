//! Strongly connected components, and the tiers they stand in.

use crate::tables::Lists;

const UNSEEN: u32 = u32::MAX;

/// Tarjan's algorithm, with a stack of its own in place of recursion.
struct Walk<'a> {
    graph: &'a Lists,
    order: Vec<u32>,
    lowest: Vec<u32>,
    is_open: Vec<bool>,
    open: Vec<u32>,
    /// Nodes on the way, each with how many of its edges were followed.
    way: Vec<(u32, usize)>,
    next: u32,
    components: Vec<Vec<u32>>,
}

/// The components of a graph; each comes behind those its members point to.
pub(super) fn find(graph: &Lists) -> Vec<Vec<u32>> {
    let count = graph.len();
    let mut walk = Walk {
        graph,
        order: vec![UNSEEN; count],
        lowest: vec![0; count],
        is_open: vec![false; count],
        open: Vec::new(),
        way: Vec::new(),
        next: 0,
        components: Vec::new(),
    };
    for node in 0..count as u32 {
        if walk.order[node as usize] == UNSEEN {
            walk.enter(node);
            walk.run();
        }
    }
    walk.components
}

impl Walk<'_> {
    fn enter(&mut self, node: u32) {
        self.order[node as usize] = self.next;
        self.lowest[node as usize] = self.next;
        self.next += 1;
        self.open.push(node);
        self.is_open[node as usize] = true;
        self.way.push((node, 0));
    }

    fn run(&mut self) {
        while let Some((node, followed)) = self.way.last_mut() {
            let node = *node;
            let Some(&other) = self.graph.get(node).get(*followed) else {
                self.leave(node);
                continue;
            };
            *followed += 1;
            if self.order[other as usize] == UNSEEN {
                self.enter(other);
            } else if self.is_open[other as usize] {
                self.lower(node, self.order[other as usize]);
            }
        }
    }

    fn lower(&mut self, node: u32, to: u32) {
        let lowest = &mut self.lowest[node as usize];
        *lowest = to.min(*lowest);
    }

    fn leave(&mut self, node: u32) {
        self.way.pop();
        let lowest = self.lowest[node as usize];
        if let Some(&(parent, _)) = self.way.last() {
            self.lower(parent, lowest);
        }
        if lowest != self.order[node as usize] {
            return;
        }
        let at = self.open.iter().rposition(|&open| open == node).unwrap_or(0);
        let mut component = self.open.split_off(at);
        for &member in &component {
            self.is_open[member as usize] = false;
        }
        component.sort_unstable();
        self.components.push(component);
    }
}

/// By component: the length of the longest way through others it points to.
pub(super) fn tiers(graph: &Lists, components: &[Vec<u32>]) -> Vec<u32> {
    let mut tier_of = vec![0; graph.len()];
    let mut tiers = Vec::with_capacity(components.len());
    for component in components {
        let others = component.iter().flat_map(|&member| graph.get(member));
        let others = others.filter(|other| component.binary_search(other).is_err());
        let tier = others.map(|&other| tier_of[other as usize] + 1).max().unwrap_or(0);
        for &member in component {
            tier_of[member as usize] = tier;
        }
        tiers.push(tier);
    }
    tiers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_cycles_and_tiers() {
        // 0 -> 1 <-> 2 -> 3, 4 -> 0
        let graph = Lists::from_pairs(5, &[(0, 1), (1, 2), (2, 1), (2, 3), (4, 0)]);
        let components = find(&graph);
        assert_eq!(components, [vec![3], vec![1, 2], vec![0], vec![4]]);
        assert_eq!(tiers(&graph, &components), [0, 1, 2, 3]);
    }
}
