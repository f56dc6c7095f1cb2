//! Which sources must be built before which: the graph from each source to those of its buildroot's packages.

use crate::components::components;
use crate::reverse::{Verdict, Watch};
use crate::tables::{Lists, PackageId, StringId};
use crate::universe::Universe;
use rustc_hash::FxHashMap;
use std::fmt;

/// Sources and what they are built with. Sources are known by their position in `sources`.
#[derive(Debug, Clone, Default)]
pub struct BuildGraph {
    /// All sources, in the order they were read.
    pub sources: Vec<PackageId>,
    /// By source: the other sources whose packages are in its buildroot.
    pub built_with: Lists,
    /// Sources that need each other, each group sorted; in an order in which a group comes behind those it
    /// needs. Most have one member.
    pub components: Vec<Vec<u32>>,
    /// By component: how many components must be built one after the other before it.
    pub tiers: Vec<u32>,
}

impl BuildGraph {
    /// Makes the graph from the answers to all sources. What is in every buildroot counts only where told,
    /// since it makes one large component of nearly everything it is built with.
    #[must_use]
    pub fn new(universe: &Universe, watch: &Watch, with_base: bool) -> Self {
        let sources: Vec<PackageId> = universe.sources().collect();
        let source_of = source_numbers(universe, &sources);
        let base: Vec<u32> = watch.base().filter_map(|id| source_of[id.index()]).collect();
        let mut built_with = Lists::default();
        for (&source, number) in sources.iter().zip(0u32..) {
            let is_solved = watch.verdict(source) == Some(Verdict::Solved);
            let base = base.iter().copied().filter(|_| with_base && is_solved);
            let packages = watch.answer(source).filter_map(|id| source_of[id.index()]);
            built_with.push(packages.chain(base).filter(|&other| other != number));
        }
        let built_with = built_with.sorted();
        let found = components(&built_with, 0..sources.len() as u32);
        let (components, tiers) = found.into_iter().map(|one| (one.members, one.tier)).unzip();
        Self { sources, built_with, components, tiers }
    }

    /// The groups of sources that cannot be put in an order, the largest first.
    #[must_use]
    pub fn cycles(&self) -> Vec<&[u32]> {
        let cycles = self.components.iter().filter(|component| component.len() > 1);
        let mut cycles: Vec<&[u32]> = cycles.map(Vec::as_slice).collect();
        cycles.sort_by_key(|cycle| std::cmp::Reverse(cycle.len()));
        cycles
    }

    /// How many sources each tier has.
    #[must_use]
    pub fn tier_sizes(&self) -> Vec<usize> {
        let count = self.tiers.iter().max().map_or(0, |last| *last as usize + 1);
        let mut sizes = vec![0; count];
        for (component, &tier) in self.components.iter().zip(&self.tiers) {
            sizes[tier as usize] += component.len();
        }
        sizes
    }

    /// The cycles, and how many sources stand in each tier.
    #[must_use]
    pub fn display<'a>(&'a self, universe: &'a Universe) -> impl fmt::Display + 'a {
        Table { graph: self, universe }
    }
}

/// By package: the position of the source it was built from.
fn source_numbers(universe: &Universe, sources: &[PackageId]) -> Vec<Option<u32>> {
    let tables = universe.tables();
    let mut by_name: FxHashMap<StringId, u32> = FxHashMap::default();
    for (source, number) in sources.iter().zip(0..) {
        by_name.insert(tables.package(*source).name, number);
    }
    let mut by_file: FxHashMap<StringId, Option<u32>> = FxHashMap::default();
    let number = |file: StringId| {
        let name = source_name(tables.strings.get(file))?;
        by_name.get(&tables.strings.find(name)?).copied()
    };
    let files = tables.ids().map(|id| tables.package(id).source);
    files.map(|file| *by_file.entry(file).or_insert_with(|| number(file))).collect()
}

/// `zlib` of `zlib-1.3-2.src.rpm`.
fn source_name(file: &[u8]) -> Option<&[u8]> {
    let release = memchr::memrchr(b'-', file)?;
    let version = memchr::memrchr(b'-', &file[..release])?;
    Some(&file[..version])
}

struct Table<'a> {
    graph: &'a BuildGraph,
    universe: &'a Universe,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |number: &u32| self.universe.tables().name(self.graph.sources[*number as usize]);
        for cycle in self.graph.cycles() {
            let names: Vec<&str> = cycle.iter().map(name).collect();
            writeln!(out, "cycle of {}: {}", cycle.len(), names.join(" "))?;
        }
        for (size, tier) in self.graph.tier_sizes().iter().zip(0..) {
            writeln!(out, "tier {tier}: {size}")?;
        }
        Ok(())
    }
}
