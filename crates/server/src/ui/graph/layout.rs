//! Where the nodes of a picture go: in layers from left to right, with few crossings.

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};

/// Between neighbours of one layer.
const BESIDE: f64 = 14.0;
/// Between two layers.
const BETWEEN: f64 = 56.0;
/// Around everything.
const MARGIN: f64 = 8.0;

/// What is to be placed. It may have cycles, although most have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Dag {
    /// Width and height of each node.
    pub(super) sizes: Vec<(f64, f64)>,
    /// From which node to which.
    pub(super) edges: Vec<(usize, usize)>,
}

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Where everything goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Positions {
    /// The middle of each node.
    pub(super) nodes: Vec<Place>,
    /// The way of each edge, from border to border.
    pub(super) edges: Vec<Vec<Place>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Places nodes and edges.
pub(super) fn layout(dag: &Dag) -> Positions {
    if dag.sizes.is_empty() {
        return Positions::default();
    }
    let mut graph = graph(dag);
    if let Err(error) = dugong::layout(&mut graph) {
        tracing::warn!(%error, nodes = dag.sizes.len(), "could not place a graph in layers");
        return stacked(dag);
    }
    let mut positions = Positions::default();
    for (index, (width, height)) in dag.sizes.iter().enumerate() {
        let label = graph.node(&index.to_string());
        let place = label.and_then(|label| Some(Place { x: label.x?, y: label.y? }));
        let place = place.unwrap_or_default();
        positions.width = positions.width.max(place.x + width / 2.0 + MARGIN);
        positions.height = positions.height.max(place.y + height / 2.0 + MARGIN);
        positions.nodes.push(place);
    }
    for (from, to) in &dag.edges {
        let label = graph.edge(&from.to_string(), &to.to_string(), None);
        let points = label.map(|label| label.points.as_slice()).unwrap_or_default();
        let way: Vec<Place> = points.iter().map(|point| Place { x: point.x, y: point.y }).collect();
        for place in &way {
            positions.height = positions.height.max(place.y + MARGIN);
        }
        positions.edges.push(way);
    }
    positions
}

/// One below the other, without lines: what is left when everything else fails.
fn stacked(dag: &Dag) -> Positions {
    let mut positions =
        Positions { edges: vec![Vec::new(); dag.edges.len()], ..Positions::default() };
    for (width, height) in &dag.sizes {
        positions
            .nodes
            .push(Place { x: MARGIN + width / 2.0, y: positions.height + MARGIN + height / 2.0 });
        positions.height += height + BESIDE;
        positions.width = positions.width.max(width + 2.0 * MARGIN);
    }
    positions.height += 2.0 * MARGIN;
    positions
}

fn graph(dag: &Dag) -> Graph<NodeLabel, EdgeLabel, GraphLabel> {
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
        Graph::new(GraphOptions { directed: true, multigraph: false, compound: false });
    graph.set_graph(GraphLabel {
        rankdir: RankDir::LR,
        nodesep: BESIDE,
        ranksep: BETWEEN,
        edgesep: BESIDE / 2.0,
        marginx: MARGIN,
        marginy: MARGIN,
        ..GraphLabel::default()
    });
    for (index, (width, height)) in dag.sizes.iter().enumerate() {
        let label = NodeLabel { width: *width, height: *height, ..NodeLabel::default() };
        graph.set_node(index.to_string(), label);
    }
    for (from, to) in dag.edges.iter().filter(|(from, to)| from != to) {
        let label = EdgeLabel { minlen: 1, weight: 1.0, ..EdgeLabel::default() };
        graph.set_edge_with_label(from.to_string(), to.to_string(), label);
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(nodes: usize, edges: &[(usize, usize)]) -> Positions {
        layout(&Dag { sizes: vec![(100.0, 40.0); nodes], edges: edges.to_vec() })
    }

    #[test]
    fn who_depends_stands_to_the_right() {
        let positions = dag(4, &[(0, 1), (1, 2), (0, 2), (0, 3)]);
        let x: Vec<f64> = positions.nodes.iter().map(|place| place.x).collect();
        assert!(x[0] < x[1] && x[1] < x[2] && x[0] < x[3], "{x:?}");
        assert!(positions.edges.iter().all(|way| way.len() >= 2));
    }

    #[test]
    fn nothing_covers_anything() {
        let edges: Vec<(usize, usize)> = (1..30).map(|to| (to / 3, to)).collect();
        let positions = dag(30, &edges);
        for (index, one) in positions.nodes.iter().enumerate() {
            for other in &positions.nodes[index + 1..] {
                let apart = (one.x - other.x).abs() >= 100.0 || (one.y - other.y).abs() >= 40.0;
                assert!(apart, "{one:?} and {other:?}");
            }
            assert!(one.x + 50.0 <= positions.width && one.y + 20.0 <= positions.height);
        }
    }

    #[test]
    fn cycles_strangers_and_nothing_are_no_trouble() {
        let positions = dag(4, &[(0, 1), (1, 0), (2, 2)]);
        assert_eq!((positions.nodes.len(), positions.edges.len()), (4, 3));
        assert_eq!(dag(0, &[]).nodes.len(), 0);
    }
}
