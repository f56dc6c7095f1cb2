//! From a dependency to the packages that meet it.

use crate::tables::{Dependency, DependencyId, PackageId, Relation, StringId, Tables};
use rustc_hash::FxHashMap;

/// Who provides what, by name.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    ends: Vec<u32>,
    entries: Vec<Entry>,
    /// Names whose providers changed since.
    changed: FxHashMap<StringId, Vec<Entry>>,
}

type Entry = (PackageId, DependencyId);

impl Providers {
    /// Indexes what the packages that can be installed provide.
    pub(crate) fn new(tables: &Tables, installable: &[bool]) -> Self {
        let mut ends = vec![0u32; tables.strings.len()];
        let packages = || tables.ids().filter(|id| installable[id.index()]);
        let name_of = |id: DependencyId| tables.dependencies.get(id).name.index();
        for package in packages() {
            for &provided in tables.relations(package, Relation::Provides) {
                ends[name_of(provided)] += 1;
            }
        }
        let mut start = 0;
        for end in &mut ends {
            let length = *end;
            *end = start;
            start += length;
        }
        let mut entries = vec![(PackageId(0), DependencyId(0)); start as usize];
        for package in packages() {
            for &provided in tables.relations(package, Relation::Provides) {
                let at = &mut ends[name_of(provided)];
                entries[*at as usize] = (package, provided);
                *at += 1;
            }
        }
        Self { ends, entries, changed: FxHashMap::default() }
    }

    /// Who provides something of a name, and what it is; by package.
    pub(crate) fn of_name(&self, name: StringId) -> &[Entry] {
        if let Some(changed) = self.changed.get(&name) {
            return changed;
        }
        let index = name.index();
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.entries[start as usize..end as usize]
    }

    /// Notes what a package provides of one name from now on.
    pub(crate) fn replace(
        &mut self,
        name: StringId,
        package: PackageId,
        provided: &[DependencyId],
    ) {
        let mut entries = self.of_name(name).to_vec();
        let start = entries.partition_point(|(other, _)| *other < package);
        let end = entries.partition_point(|(other, _)| *other <= package);
        entries.splice(start..end, provided.iter().map(|&id| (package, id)));
        self.changed.insert(name, entries);
    }

    /// Appends the packages that meet a plain dependency, sorted by id.
    pub(crate) fn of(&self, tables: &Tables, asked: Dependency, out: &mut Vec<u32>) {
        let start = out.len();
        for &(package, provided) in self.of_name(asked.name) {
            let is_new = out[start..].last() != Some(&package.0);
            if is_new && tables.satisfies(tables.dependencies.get(provided), asked) {
                out.push(package.0);
            }
        }
    }
}
