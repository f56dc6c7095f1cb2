//! What a change may reach: dependents of dependents, breadth first.

use super::{EdgeRef, Graph, Node};

/// An artifact that a change may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The artifact.
    pub node: Node,
    /// How many edges it is away from a root.
    pub depth: u32,
    /// The edge by which it was reached first; none for a root.
    pub via: Option<EdgeRef>,
}

/// What a change may reach, the roots included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    visits: Vec<Visit>,
    /// For each node of the graph, its place among `visits`, or `UNREACHED`.
    places: Vec<u32>,
}

const UNREACHED: u32 = u32::MAX;

impl Reached {
    /// What was reached, by depth and then by key.
    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// The nodes that were reached, by depth and then by key.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.visits.iter().map(|visit| visit.node)
    }

    /// How a node was reached, if it was.
    pub fn visit(&self, node: Node) -> Option<&Visit> {
        self.place(node).map(|place| &self.visits[place])
    }

    /// Where among the visits a node stands, if it was reached.
    pub fn place(&self, node: Node) -> Option<usize> {
        match self.places.get(node.index()) {
            None | Some(&UNREACHED) => None,
            Some(&place) => Some(place as usize),
        }
    }

    fn add(&mut self, visit: Visit) {
        let place = &mut self.places[visit.node.index()];
        if *place == UNREACHED {
            *place = self.visits.len() as u32;
            self.visits.push(visit);
        }
    }
}

impl Graph {
    /// Follows the dependents of `roots` along the edges that `follow` wants.
    ///
    /// `follow` is asked for each edge of a reached node, also for one to a node that was reached already: a caller
    /// may note there at which edges the change stops.
    pub fn reach(&self, roots: &[Node], mut follow: impl FnMut(EdgeRef) -> bool) -> Reached {
        let places = vec![UNREACHED; self.node_count()];
        let mut reached = Reached { visits: Vec::new(), places };
        let mut sorted = roots.to_vec();
        self.sort_nodes(&mut sorted);
        for node in sorted {
            reached.add(Visit { node, depth: 0, via: None });
        }
        let mut level = 0..reached.visits.len();
        while !level.is_empty() {
            let end = level.end;
            for place in level {
                let Visit { node, depth, .. } = reached.visits[place];
                for edge in self.dependents(node).filter(|edge| follow(*edge)) {
                    reached.add(Visit { node: edge.dependent, depth: depth + 1, via: Some(edge) });
                }
            }
            level = end..reached.visits.len();
            self.sort_level(&mut reached, level.clone());
        }
        reached
    }

    /// Within a level, keys decide, not the order in which edges led there.
    fn sort_level(&self, reached: &mut Reached, level: std::ops::Range<usize>) {
        let visits = &mut reached.visits[level.clone()];
        visits.sort_unstable_by_key(|visit| self.place(visit.node));
        for (place, visit) in level.zip(visits) {
            reached.places[visit.node.index()] = place as u32;
        }
    }
}
