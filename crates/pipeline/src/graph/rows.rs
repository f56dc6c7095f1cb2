//! The edges of one direction: a row for each node, in one array, with rows that changed since kept beside it.

use model::edge::EdgeKind;

use super::{EdgeRef, Node, PackageName};

/// One end of an edge, as it lies in the row of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) other: Node,
    /// The kind in the highest three bits, the package's number in the others.
    label: u32,
}

const PACKAGE_BITS: u32 = 29;
const PACKAGE_MASK: u32 = (1 << PACKAGE_BITS) - 1;

impl Half {
    pub(super) fn new(other: Node, kind: EdgeKind, package: PackageName) -> Self {
        Self { other, label: (kind as u32) << PACKAGE_BITS | (package.0 & PACKAGE_MASK) }
    }

    pub(super) fn kind(self) -> EdgeKind {
        EdgeKind::ALL[(self.label >> PACKAGE_BITS) as usize]
    }

    pub(super) fn package(self) -> PackageName {
        PackageName(self.label & PACKAGE_MASK)
    }

    /// The number that orders halves by kind and package, while packages are numbered by name.
    pub(super) fn label(self) -> u32 {
        self.label
    }

    pub(super) fn turned_to(self, other: Node) -> Self {
        Self { other, ..self }
    }

    pub(super) fn as_dependent_of(self, node: Node) -> EdgeRef {
        let (kind, package) = (self.kind(), self.package());
        EdgeRef { dependent: self.other, dependency: node, kind, package }
    }

    pub(super) fn as_dependency_of(self, node: Node) -> EdgeRef {
        let (kind, package) = (self.kind(), self.package());
        EdgeRef { dependent: node, dependency: self.other, kind, package }
    }
}

/// Rows of halves. Reading a row costs the same whether it was changed or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Row `n` is `halves[starts[n]..starts[n + 1]]`, unless it is patched.
    starts: Vec<u32>,
    halves: Vec<Half>,
    /// For each node, the place of its row among `patches`, or `UNPATCHED`.
    patched: Vec<u32>,
    patches: Vec<Vec<Half>>,
    /// How many halves there are in all current rows.
    count: usize,
}

const UNPATCHED: u32 = u32::MAX;

/// Below this many halves in patches, putting them in place is not worth its while.
const FEW: usize = 1 << 16;

impl Rows {
    pub(super) fn new(starts: Vec<u32>, halves: Vec<Half>) -> Self {
        let nodes = starts.len().saturating_sub(1);
        let count = halves.len();
        Self { starts, halves, patched: vec![UNPATCHED; nodes], patches: Vec::new(), count }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn row(&self, node: usize) -> &[Half] {
        match self.patched.get(node) {
            None | Some(&UNPATCHED) => self.base_row(node),
            Some(&patch) => &self.patches[patch as usize],
        }
    }

    fn base_row(&self, node: usize) -> &[Half] {
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(&start), Some(&end)) => &self.halves[start as usize..end as usize],
            _ => &[],
        }
    }

    /// Changes one row, which is copied out of the array the first time.
    pub(super) fn change(&mut self, node: usize, change: impl FnOnce(&mut Vec<Half>)) {
        if self.patched.len() <= node {
            self.patched.resize(node + 1, UNPATCHED);
        }
        if self.patched[node] == UNPATCHED {
            self.patches.push(self.base_row(node).to_vec());
            self.patched[node] = (self.patches.len() - 1) as u32;
        }
        let row = &mut self.patches[self.patched[node] as usize];
        let before = row.len();
        change(row);
        self.count = self.count - before + row.len();
    }

    /// Puts patched rows in place when they have become many: memory stays below a quarter more than the edges need.
    pub(super) fn settle(&mut self) {
        let patched: usize = self.patches.iter().map(Vec::len).sum();
        if patched > FEW.max(self.halves.len() / 8) {
            self.rebuild();
        }
    }

    pub(super) fn rebuild(&mut self) {
        let nodes = self.patched.len();
        let mut starts = Vec::with_capacity(nodes + 1);
        let mut halves = Vec::with_capacity(self.count);
        starts.push(0);
        for node in 0..nodes {
            halves.extend_from_slice(self.row(node));
            starts.push(halves.len() as u32);
        }
        *self = Self::new(starts, halves);
    }
}
