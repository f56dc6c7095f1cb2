//! What packages say, lowered again where what they speak of changed.

use super::index::sets_of;
use super::slots::Patch;
use crate::tables::{DependencyId, Edit, Lists, PackageId, Relation};
use crate::universe::relations::Lowered;
use crate::universe::{Condition, SetId, Universe, Weak, flag};
use std::collections::BTreeSet;

/// What a package says of others, lowered.
#[derive(Debug, Default)]
struct Statement {
    needs: Vec<u32>,
    conditions: Vec<Condition>,
    conflicts: Vec<u32>,
}

/// What a dependency asks, whether plain or rich.
fn lowered(universe: &Universe, id: DependencyId, holds: bool) -> Lowered {
    if universe.tables.dependencies.get(id).is_rich() {
        return universe.rich.get(&(id, holds)).cloned().unwrap_or_default();
    }
    let set = universe.set_of(id).unwrap_or(SetId::EMPTY);
    vec![if holds {
        Condition { when: Vec::new(), then: set }
    } else {
        Condition { when: vec![set], then: SetId::EMPTY }
    }]
}

/// The relations that must hold. The simple shapes of a condition are a requirement and a conflict.
fn strong(universe: &Universe, package: u32) -> Statement {
    let mut statement = Statement::default();
    if !universe.has(package, flag::INSTALLABLE | flag::SOURCE) {
        return statement;
    }
    for (relation, holds) in [(Relation::Requires, true), (Relation::Conflicts, false)] {
        for &id in universe.tables.relations(PackageId(package), relation) {
            for condition in lowered(universe, id, holds) {
                if holds && condition.refuses(package, &universe.raw) {
                    statement.needs.push(SetId::EMPTY.0);
                }
                match condition.when.as_slice() {
                    [] => statement.needs.push(condition.then.0),
                    [set] if condition.then == SetId::EMPTY => {
                        let others = universe.raw.get(set.0).iter().copied();
                        statement.conflicts.extend(others.filter(|&other| other != package));
                    }
                    _ => statement.conditions.push(condition),
                }
            }
        }
    }
    let mut seen = BTreeSet::new();
    statement.needs.retain(|&set| seen.insert(set));
    statement
}

/// With whom a package says it cannot be installed, also by its name and by what it obsoletes; sorted.
pub(super) fn said(universe: &Universe, package: u32) -> Vec<u32> {
    let mut said = strong(universe, package).conflicts;
    if universe.has(package, flag::INSTALLABLE) {
        said.extend(universe.obsoletes.get(&package).into_iter().flatten());
        let name = universe.tables.package(PackageId(package)).name;
        let others = universe.by_name.get(name.0).iter().copied();
        let others = others.filter(|&other| other != package);
        said.extend(others.filter(|&other| universe.names().collide(package, other)));
    }
    said.sort_unstable();
    said.dedup();
    said
}

impl Patch<'_> {
    /// Lowers again what was touched.
    pub(super) fn follow_statements(&mut self) {
        let (mut owners, mut weak) = (Vec::new(), [Vec::new(), Vec::new()]);
        for package in self.restated.clone() {
            self.restate(package, &mut owners);
            self.follow_weak(package, &mut weak);
        }
        self.index.owners.edit(&mut owners);
        self.universe.recommended.by.edit(&mut weak[0]);
        self.universe.suggested.by.edit(&mut weak[1]);
        self.quarrelling.extend(&self.restated);
        self.follow_conflicts();
        self.relinked.extend(&self.restated);
    }

    fn restate(&mut self, package: u32, owners: &mut Vec<Edit>) {
        let old = sets_of(self.universe, package);
        let new = strong(self.universe, package);
        if self.universe.has(package, flag::SOURCE) {
            self.count_needs(package, &new.needs);
            self.sources.push((package, self.universe.needs.get(package).to_vec()));
        }
        self.universe.needs.set(package, &new.needs);
        self.set_conditions(package, new.conditions);
        Lists::note_difference(owners, package, &old, &sets_of(self.universe, package));
    }

    /// How many sources need each set.
    fn count_needs(&mut self, source: u32, new: &[u32]) {
        let universe = &mut *self.universe;
        let popularity = universe.popularity.to_mut();
        popularity.resize(universe.raw.len(), 0);
        for &set in universe.needs.get(source) {
            let count = &mut popularity[set as usize];
            *count = count.saturating_sub(1);
        }
        for &set in new {
            popularity[set as usize] += 1;
        }
    }

    fn set_conditions(&mut self, package: u32, new: Vec<Condition>) {
        let universe = &mut *self.universe;
        let mut places = universe.conditions_of.get(package).to_vec();
        let is_same = places.len() == new.len()
            && places.iter().zip(&new).all(|(&at, new)| universe.conditions[at as usize] == *new);
        if is_same {
            return;
        }
        self.followed.insert(package);
        // Their order is the order of their numbers.
        places.truncate(new.len());
        for (at, condition) in new.into_iter().enumerate() {
            if let Some(&place) = places.get(at) {
                universe.conditions[place as usize] = condition;
            } else {
                places.push(universe.conditions.len() as u32);
                universe.conditions.push(condition);
            }
        }
        universe.conditions_of.set(package, &places);
        let bits = &mut universe.flags.to_mut()[package as usize];
        let is_conditional = !places.is_empty();
        *bits = if is_conditional { *bits | flag::CONDITIONAL } else { *bits & !flag::CONDITIONAL };
    }

    fn follow_conflicts(&mut self) {
        let mut pairs: Vec<(u32, u32, bool)> = Vec::new();
        for package in self.quarrelling.clone() {
            let new = said(self.universe, package);
            let old = self.index.said.get(package);
            if old == new {
                continue;
            }
            let difference = |one: &[u32], other: &[u32], is_added| -> Vec<(u32, u32, bool)> {
                let only = one.iter().filter(|id| other.binary_search(id).is_err());
                only.map(|&other| (package, other, is_added)).collect()
            };
            let first = pairs.len();
            pairs.extend(difference(old, &new, false));
            pairs.extend(difference(&new, old, true));
            // Where the other one came or went, those who look at it are followed already.
            for &(_, other, _) in &pairs[first..] {
                if self.stays(package) && self.stays(other) {
                    self.followed.insert(package);
                    self.effect.conflicts.push((PackageId(package), PackageId(other)));
                }
            }
            self.index.said.set(package, &new);
        }
        let mut edits = Vec::new();
        for (by, other, is_added) in pairs {
            self.relinked.extend([by, other]);
            let says_back = self.index.said.get(other).binary_search(&by).is_ok();
            if !is_added && says_back {
                continue;
            }
            edits.push(Edit { list: by, item: other, is_added });
            // Nothing has a source in its way.
            if !is_added || self.universe.has(by, flag::INSTALLABLE) {
                edits.push(Edit { list: other, item: by, is_added });
            }
        }
        self.universe.conflicts.edit(&mut edits);
    }

    fn follow_weak(&mut self, package: u32, edits: &mut [Vec<Edit>; 2]) {
        let is_installable = self.universe.has(package, flag::INSTALLABLE);
        let stated = |universe: &Universe, relation| -> Vec<Lowered> {
            let all = universe.tables.relations(PackageId(package), relation).iter();
            let all = all.filter(|_| is_installable);
            all.map(|&id| lowered(universe, id, true)).collect()
        };
        let universe = &mut *self.universe;
        let recommends = stated(universe, Relation::Recommends).into_iter().flatten().collect();
        let suggests = stated(universe, Relation::Suggests).into_iter().flatten().collect();
        let supplements = stated(universe, Relation::Supplements);
        let enhances = stated(universe, Relation::Enhances);
        for member in self.index.conditional.remove(&package).unwrap_or_default() {
            for weak in [&mut universe.recommended, &mut universe.suggested] {
                forget_conditional(weak, member, package);
            }
            self.ranked.insert(member);
        }
        let mut conditional = Vec::new();
        let [recommended, suggested] = edits;
        let firsts = (recommended.len(), suggested.len());
        let (raw, list) = (&universe.raw, &mut conditional);
        let mut entry = Weakness { package, raw, conditional: list, edits: recommended };
        entry.enter(&mut universe.recommended, &mut self.index.recommends, recommends);
        entry.edits = suggested;
        entry.enter(&mut universe.suggested, &mut self.index.suggests, suggests);
        // Whom something else calls for is judged differently as a candidate.
        let called = recommended[firsts.0..].iter().chain(&suggested[firsts.1..]);
        self.ranked.extend(called.map(|edit| edit.list).chain(conditional.iter().copied()));
        let bits = universe.recommended.flag | universe.suggested.flag;
        for &member in &conditional {
            universe.flags.to_mut()[member as usize] |= bits;
        }
        if !conditional.is_empty() {
            self.index.conditional.insert(package, conditional);
        }
        let one = set_called_by(&mut universe.recommended, package, supplements);
        let two = set_called_by(&mut universe.suggested, package, enhances);
        for weak in [&universe.recommended, &universe.suggested] {
            if weak.called_by.contains_key(&package) {
                universe.flags.to_mut()[package as usize] |= weak.flag;
            }
        }
        if !(one && two) {
            self.ranked.insert(package);
        }
    }
}

/// One package's weak relations on their way into the indexes.
struct Weakness<'a> {
    package: u32,
    raw: &'a Lists,
    /// Members of sets that are called for on conditions.
    conditional: &'a mut Vec<u32>,
    /// From member to who recommends it.
    edits: &'a mut Vec<Edit>,
}

impl Weakness<'_> {
    /// Enters what the package recommends.
    fn enter(&mut self, weak: &mut Weak, plain: &mut Lists, all: Lowered) {
        let mut members = Vec::new();
        for condition in all {
            let of_set = self.raw.get(condition.then.0);
            if condition.when.is_empty() {
                members.extend_from_slice(of_set);
                continue;
            }
            for &member in of_set {
                let entry = (self.package, condition.clone());
                weak.conditional.entry(member).or_default().push(entry);
                self.conditional.push(member);
            }
        }
        members.sort_unstable();
        members.dedup();
        let old = plain.get(self.package);
        if old != members {
            Lists::note_difference(self.edits, self.package, old, &members);
            plain.set(self.package, &members);
        }
    }
}

fn forget_conditional(weak: &mut Weak, member: u32, by: u32) {
    if let Some(entries) = weak.conditional.get_mut(&member) {
        entries.retain(|(other, _)| *other != by);
    }
}

/// Notes what calls for a package; whether it is as before.
fn set_called_by(weak: &mut Weak, package: u32, lists: Vec<Lowered>) -> bool {
    let is_same = weak.called_by.get(&package).map_or(&[][..], Vec::as_slice) == lists;
    if lists.is_empty() {
        weak.called_by.remove(&package);
    } else if !is_same {
        weak.called_by.insert(package, lists);
    }
    is_same
}
