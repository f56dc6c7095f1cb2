//! Keeps a graph up to date: the edges of one dependent are replaced when it is parsed or built anew.

use model::artifact::ArtifactKey;

use super::rows::Half;
use super::{Graph, NamedEdge, Node, PackageName};

impl Graph {
    /// Replaces all edges of a dependent; without edges, it needs nothing any more. An edge's own `dependent` is not
    /// looked at.
    ///
    /// The result equals a graph built anew from the same edges. The cost is that of the rows that change, and now and
    /// then that of putting patched rows back in place. An artifact that is named for the first time costs a sort of all
    /// keys besides: a whole distribution is loaded through [`GraphBuilder`](super::GraphBuilder).
    pub fn replace<'a>(
        &mut self,
        dependent: &ArtifactKey,
        edges: impl IntoIterator<Item = NamedEdge<'a>>,
    ) {
        let known = self.artifacts.len();
        let node = Node(self.artifacts.intern(dependent));
        let mut row: Vec<Half> = edges.into_iter().map(|edge| self.half(&edge)).collect();
        if self.artifacts.len() > known {
            self.places = self.artifacts.places();
        }
        self.sort_row(&mut row);
        row.dedup();

        for (half, gone) in self.differences(self.dependencies.row(node.index()), &row) {
            self.turn(half, node, gone);
        }
        self.dependencies.change(node.index(), |old| *old = row);
        self.dependencies.settle();
        self.dependents.settle();
    }

    fn half(&mut self, edge: &NamedEdge<'_>) -> Half {
        let other = Node(self.artifacts.intern(edge.dependency));
        Half::new(other, edge.kind, PackageName(self.packages.intern(edge.package)))
    }

    /// What is in one of two sorted rows only, and whether it is the old one.
    fn differences(&self, old: &[Half], new: &[Half]) -> Vec<(Half, bool)> {
        let missing = |from: &[Half], half: &Half| {
            from.binary_search_by(|probe| self.compare_halves(*probe, *half)).is_err()
        };
        let gone = old.iter().filter(|half| missing(new, half)).map(|half| (*half, true));
        let added = new.iter().filter(|half| missing(old, half)).map(|half| (*half, false));
        gone.chain(added).collect()
    }

    /// Takes an edge of `dependent` out of the row of its dependency, or puts it in.
    fn turn(&mut self, half: Half, dependent: Node, gone: bool) {
        let mut rows = std::mem::take(&mut self.dependents);
        let turned = half.turned_to(dependent);
        rows.change(half.other.index(), |row| {
            match row.binary_search_by(|probe| self.compare_halves(*probe, turned)) {
                Ok(place) if gone => {
                    row.remove(place);
                }
                Err(place) if !gone => row.insert(place, turned),
                _ => {}
            }
        });
        self.dependents = rows;
    }
}
