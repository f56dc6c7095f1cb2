//! What patching a universe needs to know and solving does not: who says what, and which sets there are.

use crate::rich::{self, Rich};
use crate::tables::{DependencyId, Lists, PackageId, Relation, StringId};
use crate::universe::{Condition, SetId, Universe, flag};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

/// The headings whose dependencies are looked up among what is provided.
pub(super) const STATED: [Relation; 6] = [
    Relation::Requires,
    Relation::Conflicts,
    Relation::Recommends,
    Relation::Supplements,
    Relation::Suggests,
    Relation::Enhances,
];

/// Indexes that follow the universe through every change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// By name: the plain dependencies somebody states, alone or within a rich one.
    pub(super) asked: Lists,
    /// By plain dependency: the rich ones it is part of.
    pub(super) rich_of: FxHashMap<u32, Vec<DependencyId>>,
    /// By dependency: who states it, under any heading of [`STATED`].
    pub(super) stated_by: Lists,
    /// The rich dependencies that are stated, as trees.
    pub(super) trees: FxHashMap<DependencyId, Rich>,
    /// By name: who obsoletes some version of it.
    pub(super) obsoleters: FxHashMap<u32, Vec<u32>>,
    /// Sets by their members.
    interned: HashTable<u32>,
    /// By package: all sets it is in.
    pub(super) raw_of: Lists,
    /// By set: the packages and sources that need it, or have a condition about it.
    pub(crate) owners: Lists,
    /// By package: with whom it says it cannot be installed.
    pub(super) said: Lists,
    /// By package: what it recommends and suggests without a condition.
    pub(super) recommends: Lists,
    pub(super) suggests: Lists,
    /// By package: what it recommends or suggests on conditions.
    pub(super) conditional: FxHashMap<u32, Vec<u32>>,
}

impl Index {
    /// Reads everything once.
    pub(super) fn new(universe: &mut Universe) -> Self {
        let packages = universe.tables.len();
        let mut index = Self {
            raw_of: universe.raw.inverted(packages),
            recommends: universe.recommended.by.inverted(packages),
            suggests: universe.suggested.by.inverted(packages),
            ..Self::default()
        };
        for set in 1..universe.raw.len() as u32 {
            index.enter(&universe.raw, set);
        }
        index.index_trees(universe);
        let universe = &*universe;
        index.index_statements(universe);
        index.index_asked(universe);
        index.index_owners(universe);
        index.index_conditional(universe);
        let said = universe.tables.ids().map(|id| super::statements::said(universe, id.0));
        for list in said {
            index.said.push(list);
        }
        index
    }

    fn index_statements(&mut self, universe: &Universe) {
        let tables = &universe.tables;
        let mut pairs = Vec::new();
        for id in present(universe) {
            for relation in STATED {
                pairs.extend(
                    tables.relations(id, relation).iter().map(|dependency| (dependency.0, id.0)),
                );
            }
            for &obsoleted in tables.relations(id, Relation::Obsoletes) {
                let name = tables.dependencies.get(obsoleted).name.0;
                self.obsoleters.entry(name).or_default().push(id.0);
            }
        }
        self.stated_by = Lists::from_pairs(tables.dependencies.len(), &pairs).sorted();
    }

    /// Their texts were understood when the universe was made, so each has a tree.
    fn index_trees(&mut self, universe: &mut Universe) {
        let mut rich: Vec<DependencyId> = universe.rich.keys().map(|(id, _)| *id).collect();
        rich.sort_unstable();
        rich.dedup();
        for id in rich {
            let text =
                universe.tables.strings.get(universe.tables.dependencies.get(id).name).to_vec();
            if let Ok(tree) = rich::parse(&mut universe.tables, &text) {
                self.enter_tree(id, tree);
            }
        }
    }

    pub(super) fn enter_tree(&mut self, id: DependencyId, tree: Rich) {
        let mut parts = Vec::new();
        leaves(&tree, &mut parts);
        parts.sort_unstable();
        parts.dedup();
        for leaf in parts {
            self.rich_of.entry(leaf.0).or_default().push(id);
        }
        self.trees.insert(id, tree);
    }

    fn index_asked(&mut self, universe: &Universe) {
        let tables = &universe.tables;
        let known = universe.set_of.iter().zip(0u32..).filter(|(set, _)| **set != u32::MAX);
        let mut asked: Vec<DependencyId> = known.map(|(_, id)| DependencyId(id)).collect();
        asked.extend(self.rich_of.keys().map(|&leaf| DependencyId(leaf)));
        let name = |id: DependencyId| tables.dependencies.get(id).name.0;
        let pairs: Vec<(u32, u32)> = asked.into_iter().map(|id| (name(id), id.0)).collect();
        self.asked = Lists::from_pairs(tables.strings.len(), &pairs).sorted();
    }

    fn index_owners(&mut self, universe: &Universe) {
        let mut pairs = Vec::new();
        for id in universe.tables.ids() {
            pairs.extend(sets_of(universe, id.0).into_iter().map(|set| (set, id.0)));
        }
        self.owners = Lists::from_pairs(universe.raw.len(), &pairs).sorted();
    }

    fn index_conditional(&mut self, universe: &Universe) {
        for weak in [&universe.recommended, &universe.suggested] {
            for (&member, entries) in &weak.conditional {
                for (by, _) in entries {
                    self.conditional.entry(*by).or_default().push(member);
                }
            }
        }
    }

    fn enter(&mut self, raw: &Lists, set: u32) {
        let hash = FxBuildHasher.hash_one(raw.get(set));
        self.interned.insert_unique(hash, set, |&other| FxBuildHasher.hash_one(raw.get(other)));
    }

    /// The number of a set, new or known, and whether it is new. Members are sorted by id.
    pub(super) fn intern(&mut self, raw: &mut Lists, members: &[u32]) -> (SetId, bool) {
        if members.is_empty() {
            return (SetId::EMPTY, false);
        }
        let hash = FxBuildHasher.hash_one(members);
        if let Some(&known) = self.interned.find(hash, |&set| raw.get(set) == members) {
            return (SetId(known), false);
        }
        let set = raw.push(members.iter().copied());
        self.enter(raw, set);
        (SetId(set), true)
    }

    /// All sets a package is in, also such as are out of use.
    pub(crate) fn sets_with(&self, package: u32) -> &[u32] {
        self.raw_of.get(package)
    }

    /// Who states a dependency on a name, alone or within a rich one.
    pub(crate) fn askers(&self, name: StringId) -> impl Iterator<Item = (u32, DependencyId)> + '_ {
        let plain = self.asked.get(name.0).iter().copied();
        let rich = |leaf: &u32| self.rich_of.get(leaf).into_iter().flatten().map(|id| id.0);
        let all = plain.clone().chain(self.asked.get(name.0).iter().flat_map(rich));
        all.flat_map(|dependency| {
            let by = self.stated_by.get(dependency).iter();
            by.map(move |&id| (id, DependencyId(dependency)))
        })
    }

    /// Bytes the larger parts take.
    pub(super) fn byte_len(&self) -> usize {
        let lists = [
            &self.asked,
            &self.stated_by,
            &self.raw_of,
            &self.owners,
            &self.said,
            &self.recommends,
            &self.suggests,
        ];
        lists.iter().map(|lists| lists.byte_len()).sum::<usize>() + self.interned.capacity() * 5
    }
}

/// The packages and sources that are there.
pub(super) fn present(universe: &Universe) -> impl Iterator<Item = PackageId> + '_ {
    universe.tables.ids().filter(|id| universe.has(id.0, flag::INSTALLABLE | flag::SOURCE))
}

/// The sets that matter to a package or source itself, without repetitions.
pub(super) fn sets_of(universe: &Universe, package: u32) -> Vec<u32> {
    let mut sets = universe.needs.get(package).to_vec();
    for condition in universe.conditions(PackageId(package)) {
        sets.extend(condition_sets(condition));
    }
    sets.extend(universe.lockstep.get(&package).map(|set| set.0));
    sets.sort_unstable();
    sets.dedup();
    sets
}

pub(super) fn condition_sets(condition: &Condition) -> impl Iterator<Item = u32> + '_ {
    condition.when.iter().chain([&condition.then]).map(|set| set.0)
}

/// The plain dependencies a rich one is made of.
pub(super) fn leaves(rich: &Rich, out: &mut Vec<DependencyId>) {
    match rich {
        Rich::Plain(id) => out.push(*id),
        Rich::And(items) | Rich::Or(items) | Rich::With(items) => {
            items.iter().for_each(|item| leaves(item, out));
        }
        Rich::Without(first, second) => {
            leaves(first, out);
            leaves(second, out);
        }
        Rich::If(first, second, third) | Rich::Unless(first, second, third) => {
            leaves(first, out);
            leaves(second, out);
            third.iter().for_each(|third| leaves(third, out));
        }
    }
}
