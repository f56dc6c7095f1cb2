//! The tables in a snapshot.

use super::column::Column;
use super::dependency::{Dependencies, hash_dependency};
use super::evr::{Evr, Evrs, hash_evr};
use super::index::Index;
use super::strings::{StringId, Strings, hash_bytes};
use super::{Lists, Repository, Tables};
use crate::snapshot::{Numbers, Reader, SnapshotError, Writer, are_below, are_ends, out_of_range};

impl Lists {
    /// Where each list starts and ends, and the items of all.
    pub(crate) fn parts(&self) -> (&[[u32; 2]], &[u32]) {
        (&self.spans, &self.items)
    }

    /// Lists of parts; none where a list ends before it starts or behind the last item, or where the lists
    /// have more items than there are, as lists that share some may.
    pub(crate) fn from_parts(spans: Column<[u32; 2]>, items: Column<u32>) -> Option<Self> {
        let (mut falls, mut highest, mut count) = (false, 0, 0);
        for &[start, end] in spans.iter() {
            falls |= start > end;
            highest = highest.max(end);
            count += u64::from(end.wrapping_sub(start));
        }
        let abandoned = (items.len() as u64).checked_sub(count)? as usize;
        let is_sound = !falls && highest as usize <= items.len();
        is_sound.then_some(Self { spans, items, abandoned })
    }
}

impl Tables {
    /// Enters the tables into a snapshot.
    pub(crate) fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        self.strings.store(writer);
        self.evrs.store(writer);
        self.dependencies.store(writer);
        writer.column("packages", &self.packages);
        writer.column("relations", &self.relations);
        let mut numbers = Vec::new();
        for repository in &self.repositories {
            let range = &repository.packages;
            numbers.extend([repository.name.len() as u32, repository.priority as u32]);
            numbers.extend([repository.cost, range.start, range.end]);
        }
        writer.numbers("repositories", &numbers);
        let names: Vec<&str> = self.repositories.iter().map(|it| it.name.as_str()).collect();
        writer.text("names of repositories", &names.concat());
    }

    /// Takes the tables out of a snapshot.
    pub(crate) fn restore(reader: &mut Reader) -> Result<Self, SnapshotError> {
        let strings = Strings::restore(reader)?;
        let evrs = Evrs::restore(reader, strings.len())?;
        let dependencies = Dependencies::restore(reader, strings.len(), evrs.all.len())?;
        let mut tables = Self { strings, evrs, dependencies, ..Self::default() };
        tables.packages = reader.column("packages")?;
        tables.relations = reader.column("relations")?;
        if !tables.packages_are_sound() {
            return Err(out_of_range("packages"));
        }
        if !are_below(bytemuck::cast_slice(&tables.relations), tables.dependencies.len()) {
            return Err(out_of_range("relations"));
        }
        let mut numbers = reader.numbers("repositories")?;
        let names = reader.text("names of repositories")?;
        let mut names = names.as_str();
        while !numbers.is_done() {
            tables.repositories.push(repository(&mut numbers, &mut names, tables.packages.len())?);
        }
        Ok(tables)
    }

    fn packages_are_sound(&self) -> bool {
        let (strings, evrs) = (self.strings.len() as u32, self.evrs.all.len() as u32);
        let relations = self.relations.len() as u32;
        self.packages.iter().all(|package| {
            let names = package.name.0.max(package.architecture.0).max(package.source.0);
            let starts = std::iter::once(package.start).chain(package.ends);
            names < strings
                && package.evr.0 < evrs
                && starts.is_sorted()
                && package.ends.iter().all(|&end| end <= relations)
        })
    }
}

fn repository(
    numbers: &mut Numbers,
    names: &mut &str,
    packages: usize,
) -> Result<Repository, SnapshotError> {
    let wrong = || out_of_range("repositories");
    let length = numbers.any()? as usize;
    let (name, rest) = names.split_at_checked(length).ok_or_else(wrong)?;
    *names = rest;
    let (priority, cost) = (numbers.any()? as i32, numbers.any()?);
    let end = packages + 1;
    let packages = numbers.below(end)?..numbers.below(end)?;
    if packages.start > packages.end {
        return Err(wrong());
    }
    Ok(Repository { name: name.to_owned(), priority, cost, packages })
}

impl Strings {
    fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        writer.column("bytes of strings", &self.bytes);
        writer.column("strings", &self.ends);
        let hash = |number| hash_bytes(self.get(StringId(number)));
        writer.numbers("index of strings", &Index::slots(self.len(), hash));
    }

    fn restore(reader: &mut Reader) -> Result<Self, SnapshotError> {
        let bytes: Column<u8> = reader.column("bytes of strings")?;
        let ends: Column<u32> = reader.column("strings")?;
        // The empty string is always there, and the first.
        if ends.first() != Some(&0) || !are_ends(&ends, bytes.len()) {
            return Err(out_of_range("strings"));
        }
        let numbers = index(reader, "index of strings", ends.len())?;
        Ok(Self { bytes, ends, numbers })
    }
}

impl Evrs {
    fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        writer.column("versions", &self.all);
        let hash = |number: u32| hash_evr(self.all[number as usize]);
        writer.numbers("index of versions", &Index::slots(self.all.len(), hash));
    }

    fn restore(reader: &mut Reader, strings: usize) -> Result<Self, SnapshotError> {
        let all: Column<Evr> = reader.column("versions")?;
        let highest =
            all.iter().fold(0, |highest, evr| highest.max(evr.version.0.max(evr.release.0)));
        if all.first() != Some(&Evr::default()) || highest as usize >= strings {
            return Err(out_of_range("versions"));
        }
        let numbers = index(reader, "index of versions", all.len())?;
        Ok(Self { all, numbers })
    }
}

impl Dependencies {
    fn store<'a>(&'a self, writer: &mut Writer<'a>) {
        writer.column("dependencies", &self.all);
        let hash = |number: u32| hash_dependency(self.all[number as usize]);
        writer.numbers("index of dependencies", &Index::slots(self.all.len(), hash));
    }

    fn restore(reader: &mut Reader, strings: usize, evrs: usize) -> Result<Self, SnapshotError> {
        let all: Column<super::Dependency> = reader.column("dependencies")?;
        let highest =
            all.iter().fold((0, 0), |(name, evr), it| (it.name.0.max(name), it.evr.0.max(evr)));
        if !all.is_empty() && (highest.0 as usize >= strings || highest.1 as usize >= evrs) {
            return Err(out_of_range("dependencies"));
        }
        let numbers = index(reader, "index of dependencies", all.len())?;
        Ok(Self { all, numbers })
    }
}

fn index(reader: &mut Reader, name: &str, count: usize) -> Result<Index, SnapshotError> {
    Index::from_slots(reader.column(name)?, count).ok_or_else(|| out_of_range(name))
}
