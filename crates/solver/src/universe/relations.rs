//! What packages say of each other, lowered to sets, clauses and pairs that conflict.

use super::providers::Providers;
use super::sets::{SetId, Sets};
use super::{Condition, UniverseError};
use crate::rich::{self, Clause};
use crate::tables::{DependencyId, PackageId, Relation, Tables};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Not looked up yet.
const UNKNOWN: u32 = u32::MAX;

/// From how many packages on two threads read their relations.
const WORTH_A_THREAD: usize = 8192;

/// A rich dependency as conditions; plain parts have none.
pub(crate) type Lowered = Vec<Condition>;

/// What relations are lowered against.
#[derive(Clone, Copy)]
struct Ground<'a> {
    tables: &'a Tables,
    providers: &'a Providers,
    installable: &'a [bool],
    is_source: &'a [bool],
}

/// All relations of all packages, ready to be indexed.
#[derive(Clone)]
pub(super) struct Relations {
    pub(super) sets: Sets,
    /// Dependency to set; [`UNKNOWN`] for rich ones and those nobody asks for.
    set_of: Vec<u32>,
    rich: FxHashMap<(DependencyId, bool), Lowered>,
    /// Package and set it needs.
    pub(super) requires: Vec<(u32, u32)>,
    /// Package and what must hold once it is installed.
    pub(super) conditions: Vec<(u32, Condition)>,
    /// Packages that cannot be installed together, in the direction it was said.
    pub(super) conflicts: Vec<(u32, u32)>,
    /// Package and set it recommends, with conditions where there are any.
    pub(super) recommends: Vec<(u32, Condition)>,
    pub(super) suggests: Vec<(u32, Condition)>,
    /// Package and what must hold for it to be called for: all conditions of one list.
    pub(super) supplements: Vec<(u32, Lowered)>,
    pub(super) enhances: Vec<(u32, Lowered)>,
}

impl Relations {
    /// Lowers the relations of all packages that can be installed, and what the sources need.
    pub(super) fn collect(
        tables: &mut Tables,
        providers: &Providers,
        installable: &[bool],
        is_source: &[bool],
    ) -> Result<Self, UniverseError> {
        let mut relations = Self::new(tables);
        relations.lower_rich(tables, providers)?;
        let ground = Ground { tables, providers, installable, is_source };
        let is_worth_it = ground.tables.len() >= WORTH_A_THREAD;
        relations.add_all(ground, if is_worth_it { middle(ground.tables) } else { 0 });
        Ok(relations)
    }

    /// Nothing read yet.
    fn new(tables: &Tables) -> Self {
        Self {
            sets: Sets::new(tables.len()),
            set_of: vec![UNKNOWN; tables.dependencies.len()],
            rich: FxHashMap::default(),
            requires: Vec::with_capacity(tables.len() * 4),
            conditions: Vec::new(),
            conflicts: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
        }
    }

    /// Adds all packages, those from a middle on, which is none at 0, on a thread of their own.
    fn add_all(&mut self, ground: Ground<'_>, middle: u32) {
        let all = ground.tables.len() as u32;
        if middle == 0 {
            return self.add_packages(ground, 0..all);
        }
        let shared = self.sets.lists.len() as u32;
        let mut later = self.clone();
        let later = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                later.add_packages(ground, middle..all);
                later
            });
            self.add_packages(ground, 0..middle);
            other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        self.absorb(later, shared);
    }

    fn add_packages(&mut self, ground: Ground<'_>, packages: Range<u32>) {
        let mut buffer = Vec::new();
        for id in packages.map(PackageId) {
            if ground.installable[id.index()] {
                self.add_strong(ground.tables, ground.providers, id, &mut buffer);
                self.add_weak(ground.tables, ground.providers, id, &mut buffer);
            } else if ground.is_source[id.index()] {
                self.add_strong(ground.tables, ground.providers, id, &mut buffer);
            }
        }
    }

    /// Takes in what was read of later packages, beginning with the same `shared` sets. All numbers are as if one had
    /// read everything.
    fn absorb(&mut self, later: Self, shared: u32) {
        let sets = &later.sets.lists;
        let mut numbers: Vec<u32> = (0..shared).collect();
        numbers.extend((shared..sets.len() as u32).map(|set| self.sets.intern(sets.get(set)).0));
        let renumber = |set: &mut u32| *set = numbers[*set as usize];
        let renumber_all = |condition: &mut Condition| {
            condition.when.iter_mut().for_each(|set| renumber(&mut set.0));
            renumber(&mut condition.then.0);
        };
        for (own, mut set) in self.set_of.iter_mut().zip(later.set_of) {
            if *own == UNKNOWN && set != UNKNOWN {
                renumber(&mut set);
                *own = set;
            }
        }
        let requires = later.requires.into_iter().map(|(package, mut set)| {
            renumber(&mut set);
            (package, set)
        });
        self.requires.extend(requires);
        self.conflicts.extend(later.conflicts);
        for (own, mut others) in [
            (&mut self.conditions, later.conditions),
            (&mut self.recommends, later.recommends),
            (&mut self.suggests, later.suggests),
        ] {
            others.iter_mut().for_each(|(_, condition)| renumber_all(condition));
            own.append(&mut others);
        }
        for (own, mut others) in
            [(&mut self.supplements, later.supplements), (&mut self.enhances, later.enhances)]
        {
            others.iter_mut().flat_map(|(_, all)| all).for_each(renumber_all);
            own.append(&mut others);
        }
    }

    /// Gives up the table from dependencies to sets and rich dependencies.
    pub(super) fn take_lookup(&mut self) -> (Vec<u32>, FxHashMap<(DependencyId, bool), Lowered>) {
        (std::mem::take(&mut self.set_of), std::mem::take(&mut self.rich))
    }

    /// Rich dependencies first: their parts add dependencies to the tables.
    fn lower_rich(
        &mut self,
        tables: &mut Tables,
        providers: &Providers,
    ) -> Result<(), UniverseError> {
        let mut uses: Vec<(DependencyId, bool, PackageId)> = Vec::new();
        for package in tables.ids() {
            for relation in Relation::ALL.into_iter().skip(1) {
                let is_needed = relation != Relation::Conflicts;
                let all = tables.relations(package, relation).iter();
                let rich = all.filter(|id| tables.dependencies.get(**id).is_rich());
                uses.extend(rich.map(|&id| (id, is_needed, package)));
            }
        }
        uses.sort_unstable_by_key(|&(id, holds, _)| (id, holds));
        uses.dedup_by_key(|(id, holds, _)| (*id, *holds));
        for (id, holds, package) in uses {
            let lowered =
                lower_one(tables, providers, id, holds).map_err(|problem| UniverseError::Rich {
                    package: tables.nevra(package),
                    dependency: tables.dependency_text(id),
                    problem,
                })?;
            let lowered = lowered.iter().map(|clause| self.intern_clause(clause)).collect();
            self.rich.insert((id, holds), lowered);
        }
        self.set_of.resize(tables.dependencies.len(), UNKNOWN);
        Ok(())
    }

    fn intern_clause(&mut self, clause: &Clause) -> Condition {
        let mut intern = |set: &Vec<PackageId>| {
            self.sets.intern(&set.iter().map(|id| id.0).collect::<Vec<u32>>())
        };
        let when = clause.conditions.iter().map(&mut intern).collect();
        Condition { when, then: intern(&clause.consequence) }
    }

    /// The set of a plain dependency.
    fn set(
        &mut self,
        tables: &Tables,
        providers: &Providers,
        id: DependencyId,
        buffer: &mut Vec<u32>,
    ) -> SetId {
        let known = self.set_of[id.index()];
        if known != UNKNOWN {
            return SetId(known);
        }
        buffer.clear();
        providers.of(tables, tables.dependencies.get(id), buffer);
        let set = self.sets.intern(buffer);
        self.set_of[id.index()] = set.0;
        set
    }

    /// What a dependency asks, whether plain or rich.
    fn lowered(
        &mut self,
        tables: &Tables,
        providers: &Providers,
        id: DependencyId,
        buffer: &mut Vec<u32>,
    ) -> Lowered {
        if tables.dependencies.get(id).is_rich() {
            return self.rich.get(&(id, true)).cloned().unwrap_or_default();
        }
        vec![Condition { when: Vec::new(), then: self.set(tables, providers, id, buffer) }]
    }

    fn add_strong(
        &mut self,
        tables: &Tables,
        providers: &Providers,
        package: PackageId,
        buffer: &mut Vec<u32>,
    ) {
        for &id in tables.relations(package, Relation::Requires) {
            if !tables.dependencies.get(id).is_rich() {
                let set = self.set(tables, providers, id, buffer);
                self.requires.push((package.0, set.0));
                continue;
            }
            for condition in self.lowered(tables, providers, id, buffer) {
                if condition.refuses(package.0, &self.sets.lists) {
                    self.requires.push((package.0, SetId::EMPTY.0));
                }
                self.add_condition(package, condition);
            }
        }
        for &id in tables.relations(package, Relation::Conflicts) {
            if tables.dependencies.get(id).is_rich() {
                for condition in self.rich.get(&(id, false)).cloned().unwrap_or_default() {
                    self.add_condition(package, condition);
                }
            } else {
                let set = self.set(tables, providers, id, buffer);
                self.add_conflict(package, set);
            }
        }
    }

    /// The simple shapes of a condition are a requirement and a conflict.
    fn add_condition(&mut self, package: PackageId, condition: Condition) {
        match condition.when.as_slice() {
            [] => self.requires.push((package.0, condition.then.0)),
            [set] if condition.then == SetId::EMPTY => self.add_conflict(package, *set),
            _ => self.conditions.push((package.0, condition)),
        }
    }

    fn add_conflict(&mut self, package: PackageId, set: SetId) {
        let others = self.sets.lists.get(set.0).iter().filter(|&&other| other != package.0);
        self.conflicts.extend(others.map(|&other| (package.0, other)));
    }

    fn add_weak(
        &mut self,
        tables: &Tables,
        providers: &Providers,
        package: PackageId,
        buffer: &mut Vec<u32>,
    ) {
        for relation in [Relation::Recommends, Relation::Suggests] {
            for &id in tables.relations(package, relation) {
                let lowered = self.lowered(tables, providers, id, buffer);
                let lowered = lowered.into_iter().map(|condition| (package.0, condition));
                match relation {
                    Relation::Recommends => self.recommends.extend(lowered),
                    _ => self.suggests.extend(lowered),
                }
            }
        }
        for relation in [Relation::Supplements, Relation::Enhances] {
            for &id in tables.relations(package, relation) {
                let lowered = self.lowered(tables, providers, id, buffer);
                match relation {
                    Relation::Supplements => self.supplements.push((package.0, lowered)),
                    _ => self.enhances.push((package.0, lowered)),
                }
            }
        }
    }
}

/// The package before which half of all requirements are stated.
fn middle(tables: &Tables) -> u32 {
    let count = |id: PackageId| tables.relations(id, Relation::Requires).len();
    let half = tables.ids().map(count).sum::<usize>() / 2;
    let before = tables.ids().scan(0, |sum, id| {
        *sum += count(id);
        (*sum <= half).then_some(())
    });
    before.count() as u32
}

/// Parses and lowers one rich dependency against what is provided.
pub(super) fn lower_one(
    tables: &mut Tables,
    providers: &Providers,
    id: DependencyId,
    holds: bool,
) -> Result<Vec<Clause>, rich::RichError> {
    let text = tables.strings.get(tables.dependencies.get(id).name).to_vec();
    let tree = rich::parse(tables, &text)?;
    let tables = &*tables;
    let mut buffer = Vec::new();
    rich::lower(&tree, holds, &mut |leaf| {
        buffer.clear();
        providers.of(tables, tables.dependencies.get(leaf), &mut buffer);
        buffer.iter().map(|&id| PackageId(id)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_read_what_one_reads() {
        let tables = crate::testing::tables(
            "a: provides cap = 1; requires b, cap; recommends d\n\
             b: requires (cap if d), e; conflicts d; suggests (a or e)\n\
             c: provides cap = 2; requires cap, (a or b); supplements a, (b and d)\n\
             d: requires a, cap > 1; enhances b; obsoletes c\n\
             e: requires b, d; recommends (a if b); conflicts (a with cap)\n\
             s 1-1.src: requires cap, e, nowhere; conflicts d",
        );
        let read = |middle: u32| {
            let mut tables = tables.clone();
            let is_source: Vec<bool> = tables.ids().map(|id| id.0 == 5).collect();
            let installable: Vec<bool> = is_source.iter().map(|is| !is).collect();
            let providers = Providers::new(&tables, &installable);
            let mut relations = Relations::new(&tables);
            relations.lower_rich(&mut tables, &providers).unwrap();
            let (installable, is_source) = (&*installable, &*is_source);
            let ground = Ground { tables: &tables, providers: &providers, installable, is_source };
            relations.add_all(ground, middle);
            relations
        };
        let one = read(0);
        for middle in 1..6 {
            let two = read(middle);
            assert!(one.sets.lists.iter().eq(two.sets.lists.iter()), "{middle}");
            assert_eq!(one.set_of, two.set_of, "{middle}");
            assert_eq!(one.requires, two.requires, "{middle}");
            assert_eq!(one.conditions, two.conditions, "{middle}");
            assert_eq!(one.conflicts, two.conflicts, "{middle}");
            assert_eq!(one.recommends, two.recommends, "{middle}");
            assert_eq!(one.suggests, two.suggests, "{middle}");
            assert_eq!(one.supplements, two.supplements, "{middle}");
            assert_eq!(one.enhances, two.enhances, "{middle}");
        }
    }
}
