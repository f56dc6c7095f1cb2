//! The universe in a snapshot: everything that does not depend on a question, ready to be solved over.

use super::architecture;
use super::providers::{Entry, Providers};
use super::relations::Lowered;
use super::{Condition, SetId, Universe, Weak, flag};
use crate::snapshot::{Numbers, Reader, SnapshotError, Writer, are_ends, out_of_range};
use crate::tables::{Column, DependencyId, Lists, StringId, Tables};
use rustc_hash::FxHashMap;

/// How many there are of what numbers point to.
#[derive(Clone, Copy)]
struct Counts {
    packages: usize,
    sets: usize,
    conditions: usize,
}

impl Universe {
    /// Enters the universe and its tables into a snapshot.
    pub(crate) fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        self.tables.store(writer);
        writer.text("machine", &self.machine);
        writer.numbers("counts", &[self.sets.len() as u32, self.conditions.len() as u32]);
        self.providers.store(writer);
        writer.column("flags", &self.flags);
        writer.column("version ranks", &self.version_ranks);
        writer.column("popularity", &self.popularity);
        writer.column("set of dependency", &self.set_of);
        for (name, lists) in [
            ("sets", &self.sets),
            ("raw sets", &self.raw),
            ("by name", &self.by_name),
            ("needs", &self.needs),
            ("forced", &self.forced),
            ("choices", &self.choices),
            ("conditions of", &self.conditions_of),
            ("conflicts", &self.conflicts),
            ("forced by", &self.forced_by),
            ("member of", &self.member_of),
            ("owners of", &self.owners_of),
        ] {
            writer.lists(name, lists);
        }
        writer.numbers("rich dependencies", &rich_numbers(&self.rich));
        let mut conditions = Vec::new();
        self.conditions.iter().for_each(|condition| put_condition(&mut conditions, condition));
        writer.numbers("conditions", &conditions);
        writer.numbers("obsoletes", &obsoletes_numbers(&self.obsoletes));
        writer.numbers("lockstep", &lockstep_numbers(&self.lockstep));
        writer.lists("recommended by", &self.recommended.by);
        writer.numbers("recommended", &weak_numbers(&self.recommended));
        writer.lists("suggested by", &self.suggested.by);
        writer.numbers("suggested", &weak_numbers(&self.suggested));
    }

    /// Takes the universe and its tables out of a snapshot.
    pub(crate) fn restore(reader: &mut Reader) -> Result<Self, SnapshotError> {
        let tables = Tables::restore(reader)?;
        let machine = reader.text("machine")?;
        let mut numbers = reader.numbers("counts")?;
        let (sets, conditions) = (numbers.any()? as usize, numbers.any()? as usize);
        let counts = Counts { packages: tables.len(), sets, conditions };
        let packages = counts.packages;
        let mut universe = Self {
            providers: Providers::restore(reader, &tables)?,
            classes: architecture::classes(&tables, &machine),
            flags: reader.column_of("flags", packages)?,
            version_ranks: reader.column_of("version ranks", packages)?,
            popularity: reader.column_of("popularity", sets)?,
            set_of: set_of(reader, tables.dependencies.len(), sets)?,
            sets: reader.lists("sets", sets, packages)?,
            raw: reader.lists("raw sets", sets, packages)?,
            by_name: reader.lists("by name", tables.strings.len(), packages)?,
            needs: reader.lists("needs", packages, sets)?,
            forced: reader.lists("forced", packages, packages)?,
            choices: reader.lists("choices", packages, sets)?,
            conditions_of: reader.lists("conditions of", packages, conditions)?,
            conflicts: reader.lists("conflicts", packages, packages)?,
            forced_by: reader.lists("forced by", packages, packages)?,
            member_of: reader.lists("member of", packages, sets)?,
            owners_of: reader.lists("owners of", sets, packages)?,
            rich: rich(reader, tables.dependencies.len(), sets)?,
            conditions: conditions_from(reader, counts)?,
            obsoletes: obsoletes(reader, packages)?,
            lockstep: lockstep(reader, counts)?,
            recommended: weak(reader, ["recommended by", "recommended"], counts)?,
            suggested: weak(reader, ["suggested by", "suggested"], counts)?,
            has_priorities: tables.has_priorities(),
            machine,
            tables,
        };
        universe.recommended.flag = flag::SUPPLEMENTS;
        universe.suggested.flag = flag::ENHANCES;
        // The empty set is always there, and the first.
        let are_sound = |lists: &Lists| lists.len() == sets && sets > 0 && lists.get(0).is_empty();
        if are_sound(&universe.sets) && are_sound(&universe.raw) {
            Ok(universe)
        } else {
            Err(out_of_range("sets"))
        }
    }
}

impl Providers {
    fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        if self.changed.is_empty() {
            writer.column("providers, ends", &self.ends);
            writer.column("providers", &self.entries);
            return;
        }
        let (mut ends, mut entries) = (Vec::new(), Vec::new());
        let changed = self.changed.keys().map(|name| name.0 + 1).max().unwrap_or(0);
        for name in 0..changed.max(self.ends.len() as u32) {
            entries.extend_from_slice(self.of_name(StringId(name)));
            ends.push(entries.len() as u32);
        }
        writer.numbers("providers, ends", &ends);
        writer.copied("providers", &entries);
    }

    fn restore(reader: &mut Reader, tables: &Tables) -> Result<Self, SnapshotError> {
        let ends = reader.column("providers, ends")?;
        let entries: Column<Entry> = reader.column("providers")?;
        let highest = entries.iter().fold((0, 0), |(package, provided), entry| {
            (entry.package.0.max(package), entry.provided.0.max(provided))
        });
        let (packages, dependencies) = (tables.len(), tables.dependencies.len());
        let points_out = highest.0 as usize >= packages || highest.1 as usize >= dependencies;
        if !are_ends(&ends, entries.len()) || !entries.is_empty() && points_out {
            return Err(out_of_range("providers"));
        }
        Ok(Self { ends, entries, changed: FxHashMap::default() })
    }
}

fn set_of(
    reader: &mut Reader,
    dependencies: usize,
    sets: usize,
) -> Result<Column<u32>, SnapshotError> {
    let set_of: Column<u32> = reader.column("set of dependency")?;
    // What nobody asks for has the highest number, which becomes 0 by one more.
    let highest = set_of.iter().fold(0, |highest, set| highest.max(set.wrapping_add(1)));
    let is_sound = set_of.len() <= dependencies && highest as usize <= sets;
    if is_sound { Ok(set_of) } else { Err(out_of_range("set of dependency")) }
}

fn put_condition(numbers: &mut Vec<u32>, condition: &Condition) {
    numbers.push(condition.when.len() as u32);
    numbers.extend(condition.when.iter().map(|set| set.0));
    numbers.push(condition.then.0);
}

fn condition(numbers: &mut Numbers, sets: usize) -> Result<Condition, SnapshotError> {
    let when = numbers.list(|numbers| numbers.below(sets).map(SetId))?;
    Ok(Condition { when, then: SetId(numbers.below(sets)?) })
}

fn put_lowered(numbers: &mut Vec<u32>, lowered: &Lowered) {
    numbers.push(lowered.len() as u32);
    lowered.iter().for_each(|condition| put_condition(numbers, condition));
}

fn lowered(numbers: &mut Numbers, sets: usize) -> Result<Lowered, SnapshotError> {
    numbers.list(|numbers| condition(numbers, sets))
}

/// The entries of a map by key, so that what is written depends on nothing else.
fn sorted<K: Ord + Copy, V>(map: &FxHashMap<K, V>) -> Vec<(K, &V)> {
    let mut entries: Vec<(K, &V)> = map.iter().map(|(key, value)| (*key, value)).collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

fn rich_numbers(rich: &FxHashMap<(DependencyId, bool), Lowered>) -> Vec<u32> {
    let mut numbers = Vec::new();
    for ((dependency, holds), conditions) in sorted(rich) {
        numbers.extend([dependency.0, u32::from(holds)]);
        put_lowered(&mut numbers, conditions);
    }
    numbers
}

fn rich(
    reader: &mut Reader,
    dependencies: usize,
    sets: usize,
) -> Result<FxHashMap<(DependencyId, bool), Lowered>, SnapshotError> {
    let mut numbers = reader.numbers("rich dependencies")?;
    let mut rich = FxHashMap::default();
    while !numbers.is_done() {
        let key = (DependencyId(numbers.below(dependencies)?), numbers.below(2)? == 1);
        rich.insert(key, lowered(&mut numbers, sets)?);
    }
    Ok(rich)
}

fn conditions_from(reader: &mut Reader, counts: Counts) -> Result<Vec<Condition>, SnapshotError> {
    let mut numbers = reader.numbers("conditions")?;
    let mut conditions = Vec::new();
    while !numbers.is_done() {
        conditions.push(condition(&mut numbers, counts.sets)?);
    }
    let is_sound = conditions.len() == counts.conditions;
    if is_sound { Ok(conditions) } else { Err(out_of_range("conditions")) }
}

fn obsoletes_numbers(obsoletes: &FxHashMap<u32, Vec<u32>>) -> Vec<u32> {
    let mut numbers = Vec::new();
    for (package, others) in sorted(obsoletes) {
        numbers.extend([package, others.len() as u32]);
        numbers.extend(others);
    }
    numbers
}

fn obsoletes(
    reader: &mut Reader,
    packages: usize,
) -> Result<FxHashMap<u32, Vec<u32>>, SnapshotError> {
    let mut numbers = reader.numbers("obsoletes")?;
    let mut obsoletes = FxHashMap::default();
    while !numbers.is_done() {
        let package = numbers.below(packages)?;
        obsoletes.insert(package, numbers.list(|numbers| numbers.below(packages))?);
    }
    Ok(obsoletes)
}

fn lockstep_numbers(lockstep: &FxHashMap<u32, SetId>) -> Vec<u32> {
    sorted(lockstep).into_iter().flat_map(|(package, set)| [package, set.0]).collect()
}

fn lockstep(reader: &mut Reader, counts: Counts) -> Result<FxHashMap<u32, SetId>, SnapshotError> {
    let mut numbers = reader.numbers("lockstep")?;
    let mut lockstep = FxHashMap::default();
    while !numbers.is_done() {
        let package = numbers.below(counts.packages)?;
        lockstep.insert(package, SetId(numbers.below(counts.sets)?));
    }
    Ok(lockstep)
}

fn weak_numbers(weak: &Weak) -> Vec<u32> {
    let mut numbers = vec![weak.conditional.len() as u32];
    for (member, entries) in sorted(&weak.conditional) {
        numbers.extend([member, entries.len() as u32]);
        for (package, condition) in entries {
            numbers.push(*package);
            put_condition(&mut numbers, condition);
        }
    }
    for (package, lists) in sorted(&weak.called_by) {
        numbers.extend([package, lists.len() as u32]);
        lists.iter().for_each(|lowered| put_lowered(&mut numbers, lowered));
    }
    numbers
}

fn weak(
    reader: &mut Reader,
    [by, rest]: [&'static str; 2],
    counts: Counts,
) -> Result<Weak, SnapshotError> {
    let Counts { packages, sets, .. } = counts;
    let by = reader.lists(by, packages, packages)?;
    let mut numbers = reader.numbers(rest)?;
    let conditional = numbers.list(|numbers| {
        let member = numbers.below(packages)?;
        let entries =
            numbers.list(|numbers| Ok((numbers.below(packages)?, condition(numbers, sets)?)))?;
        Ok((member, entries))
    })?;
    let mut called_by = FxHashMap::default();
    while !numbers.is_done() {
        let package = numbers.below(packages)?;
        called_by.insert(package, numbers.list(|numbers| lowered(numbers, sets))?);
    }
    Ok(Weak { by, conditional: conditional.into_iter().collect(), called_by, flag: 0 })
}
