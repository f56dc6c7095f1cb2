//! From a dependency to the packages that meet it.

use crate::tables::{Column, Dependency, DependencyId, PackageId, Relation, StringId, Tables};
use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;

/// A package and something it provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) package: PackageId,
    pub(crate) provided: DependencyId,
}

/// Who provides what, by name.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(super) ends: Column<u32>,
    pub(super) entries: Column<Entry>,
    /// Names whose providers changed since.
    pub(super) changed: FxHashMap<StringId, Vec<Entry>>,
}

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
        let mut entries = vec![Entry::zeroed(); start as usize];
        for package in packages() {
            for &provided in tables.relations(package, Relation::Provides) {
                let at = &mut ends[name_of(provided)];
                entries[*at as usize] = Entry { package, provided };
                *at += 1;
            }
        }
        Self { ends: ends.into(), entries: entries.into(), changed: FxHashMap::default() }
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
        let start = entries.partition_point(|entry| entry.package < package);
        let end = entries.partition_point(|entry| entry.package <= package);
        entries.splice(start..end, provided.iter().map(|&provided| Entry { package, provided }));
        self.changed.insert(name, entries);
    }

    /// Appends the packages that meet a plain dependency, sorted by id.
    pub(crate) fn of(&self, tables: &Tables, asked: Dependency, out: &mut Vec<u32>) {
        let start = out.len();
        for &Entry { package, provided } in self.of_name(asked.name) {
            let is_new = out[start..].last() != Some(&package.0);
            if is_new && tables.satisfies(tables.dependencies.get(provided), asked) {
                out.push(package.0);
            }
        }
    }
}
