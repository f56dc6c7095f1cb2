//! From a dependency to the packages that meet it.

use crate::tables::{Column, Dependency, DependencyId, PackageId, Relation, StringId, Tables};
use bytemuck::{Pod, Zeroable};

/// A package and something it provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) package: PackageId,
    pub(super) provided: DependencyId,
}

/// Who provides what, by name.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(super) ends: Column<u32>,
    pub(super) entries: Column<Entry>,
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
        Self { ends: ends.into(), entries: entries.into() }
    }

    fn of_name(&self, name: StringId) -> &[Entry] {
        let index = name.index();
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.entries[start as usize..end as usize]
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
