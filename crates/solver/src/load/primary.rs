//! `primary.xml`, of binary and of source repositories, as createrepo_c writes it.
//!
//! Format: <https://github.com/rpm-software-management/createrepo_c>, `primary` of the rpm-md family.

use super::scan::{Attributes, Scanner, Tag, unescape};
use super::{Limits, LoadError, Problem, Source};
use crate::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, Relation, StringId, Tables,
};
use hashbrown::HashTable;
use memchr::memmem;
use std::ops::Range;

/// Where the first package at or behind a byte begins; the end of the document where there is none.
pub(super) fn package_behind(bytes: &[u8], byte: usize) -> usize {
    let start = byte.min(bytes.len());
    memmem::find(&bytes[start..], b"<package ").map_or(bytes.len(), |found| start + found)
}

/// Adds the packages of a range of a document, from `0` or where a package begins to the end or where
/// another does.
///
/// # Errors
/// The first thing that is not as it should be, with its line and package.
pub fn parse(
    tables: &mut Tables,
    source: &Source<'_>,
    range: Range<usize>,
    limits: Limits,
) -> Result<(), LoadError> {
    let mut reader = Reader {
        scanner: Scanner::new(&source.bytes[..range.end], range.start),
        bytes: source.bytes,
        tables,
        package: Draft::default(),
        entries: HashTable::new(),
        limits,
    };
    let (is_first, is_last) = (range.start == 0, range.end == source.bytes.len());
    reader.read(is_first, is_last).map_err(|problem| {
        let mut error = LoadError::at(source.name, source.bytes, reader.scanner.position, problem);
        if let Some(name) = reader.package.name {
            reader.tables.strings.text(name).clone_into(&mut error.package);
        }
        error
    })
}

/// What is known so far of the package that is being read.
#[derive(Default)]
struct Draft {
    name: Option<StringId>,
    architecture: Option<StringId>,
    evr: Option<EvrId>,
    source: StringId,
    lists: [Vec<DependencyId>; Relation::COUNT],
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    bytes: &'a [u8],
    tables: &'a mut Tables,
    package: Draft,
    /// Entries by how they are written, since most are written the same way many times: place and length
    /// of the attributes, and the dependency they give.
    entries: HashTable<(u32, u32, Option<DependencyId>)>,
    limits: Limits,
}

impl Reader<'_> {
    fn read(&mut self, is_first: bool, is_last: bool) -> Result<(), Problem> {
        let limit = self.limits.document_bytes.min(u32::MAX as usize);
        if self.bytes.len() > limit {
            return Err(Problem::TooLarge { what: "the document", limit });
        }
        let mut seen_root = !is_first;
        let mut closed = false;
        while let Some(tag) = self.scanner.next_tag()? {
            match tag.name {
                b"metadata" => seen_root = true,
                b"/metadata" => closed = true,
                b"package" if !tag.is_empty => self.read_package()?,
                _ => {}
            }
        }
        if !seen_root {
            return Err(Problem::WrongDocument("metadata"));
        }
        if is_last && !closed { Err(Problem::Truncated) } else { Ok(()) }
    }

    fn read_package(&mut self) -> Result<(), Problem> {
        self.package.name = None;
        self.package.architecture = None;
        self.package.evr = None;
        self.package.source = StringId::EMPTY;
        self.package.lists.iter_mut().for_each(Vec::clear);
        while let Some(tag) = self.scanner.next_tag()? {
            match tag.name {
                b"name" => self.package.name = Some(self.read_text()?),
                b"arch" => self.package.architecture = Some(self.read_text()?),
                b"version" => self.package.evr = Some(self.read_version(tag)?),
                b"rpm:sourcerpm" if !tag.is_empty => self.package.source = self.read_text()?,
                b"file" if !tag.is_empty => self.read_file()?,
                b"/package" => return self.finish_package(),
                b"package" => return Err(Problem::Malformed),
                name => {
                    if let Some(relation) = heading(name).filter(|_| !tag.is_empty) {
                        self.read_entries(relation)?;
                    }
                }
            }
        }
        Err(Problem::Truncated)
    }

    fn finish_package(&mut self) -> Result<(), Problem> {
        let name = self.package.name.ok_or(Problem::Missing("name"))?;
        let architecture = self.package.architecture.ok_or(Problem::Missing("architecture"))?;
        let evr = self.package.evr.ok_or(Problem::Missing("version"))?;
        let limit = self.limits.relations;
        if self.package.lists.iter().map(Vec::len).sum::<usize>() > limit {
            return Err(Problem::TooLarge { what: "the number of relations", limit });
        }
        let package = Package::new(name, architecture, evr, self.package.source);
        self.tables.push(package, &self.package.lists);
        Ok(())
    }

    fn read_text(&mut self) -> Result<StringId, Problem> {
        let text = unescape(self.scanner.text()?)?;
        self.check_text(&text)?;
        Ok(self.tables.strings.intern(&text))
    }

    fn check_text(&self, text: &[u8]) -> Result<(), Problem> {
        let limit = self.limits.text_bytes;
        if text.len() > limit { Err(Problem::TooLarge { what: "a text", limit }) } else { Ok(()) }
    }

    /// A file of the package that createrepo_c lists here since others may well require it: the path is
    /// provided.
    fn read_file(&mut self) -> Result<(), Problem> {
        let name = self.read_text()?;
        let dependency = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
        let id = self.tables.dependencies.intern(dependency);
        self.package.lists[Relation::Provides as usize].push(id);
        Ok(())
    }

    fn read_version(&mut self, tag: Tag<'_>) -> Result<EvrId, Problem> {
        let entry = read_entry(tag.attributes)?;
        let (version, release) = (unescape(entry.version)?, unescape(entry.release)?);
        self.check_text(&version)?;
        self.check_text(&release)?;
        Ok(self.tables.intern_evr(entry.epoch, &version, &release))
    }

    fn read_entries(&mut self, relation: Relation) -> Result<(), Problem> {
        while let Some(tag) = self.scanner.next_tag()? {
            match tag.name {
                b"rpm:entry" => {
                    if let Some(id) = self.intern_entry(tag.attributes, relation)? {
                        self.package.lists[relation as usize].push(id);
                    }
                }
                b"/rpm:entry" => {}
                name if name.first() == Some(&b'/') => return Ok(()),
                _ => return Err(Problem::Malformed),
            }
        }
        Err(Problem::Truncated)
    }

    /// The dependency of an entry; none where the entry is for rpm alone.
    fn intern_entry(
        &mut self,
        attributes: &[u8],
        relation: Relation,
    ) -> Result<Option<DependencyId>, Problem> {
        let hash = crate::tables::hash_bytes(attributes);
        let bytes = self.bytes;
        let written = |&(at, length, _): &(u32, u32, Option<DependencyId>)| {
            &bytes[at as usize..][..length as usize]
        };
        if relation != Relation::Provides
            && let Some(&(_, _, id)) = self.entries.find(hash, |entry| written(entry) == attributes)
        {
            return Ok(id);
        }
        let entry = read_entry(attributes)?;
        let name = unescape(entry.name)?;
        self.check_text(&name)?;
        if name.is_empty() {
            return Err(Problem::Missing("name of a relation"));
        }
        let id = if name.starts_with(b"rpmlib(") {
            None
        } else {
            Some(self.intern_dependency(&name, &entry, relation)?)
        };
        if relation != Relation::Provides {
            let at = attributes.as_ptr().addr() - bytes.as_ptr().addr();
            let known = (at as u32, attributes.len() as u32, id);
            self.entries
                .insert_unique(hash, known, |entry| crate::tables::hash_bytes(written(entry)));
        }
        Ok(id)
    }

    fn intern_dependency(
        &mut self,
        name: &[u8],
        entry: &Entry<'_>,
        relation: Relation,
    ) -> Result<DependencyId, Problem> {
        let comparison = Comparison::from_flags(entry.flags).ok_or(Problem::UnknownComparison)?;
        let is_rich = name.first() == Some(&b'(') && relation != Relation::Provides;
        let name = self.tables.strings.intern(name);
        let dependency = if is_rich {
            Dependency { name, comparison: Comparison::RICH, evr: EvrId::NONE }
        } else if comparison.is_any() {
            Dependency { name, comparison, evr: EvrId::NONE }
        } else {
            let (version, release) = (unescape(entry.version)?, unescape(entry.release)?);
            self.check_text(&version)?;
            self.check_text(&release)?;
            let evr = self.tables.intern_evr(entry.epoch, &version, &release);
            Dependency { name, comparison, evr }
        };
        Ok(self.tables.dependencies.intern(dependency))
    }
}

fn heading(name: &[u8]) -> Option<Relation> {
    Some(match name.strip_prefix(b"rpm:")? {
        b"provides" => Relation::Provides,
        b"requires" => Relation::Requires,
        b"conflicts" => Relation::Conflicts,
        b"obsoletes" => Relation::Obsoletes,
        b"recommends" => Relation::Recommends,
        b"supplements" => Relation::Supplements,
        b"suggests" => Relation::Suggests,
        b"enhances" => Relation::Enhances,
        _ => return None,
    })
}

/// The attributes of `rpm:entry` and of `version`, as they stand.
#[derive(Default)]
struct Entry<'a> {
    name: &'a [u8],
    flags: &'a [u8],
    epoch: &'a [u8],
    version: &'a [u8],
    release: &'a [u8],
}

fn read_entry(attributes: &[u8]) -> Result<Entry<'_>, Problem> {
    let mut entry = Entry::default();
    for attribute in Attributes(attributes) {
        let (name, value) = attribute?;
        match name {
            b"name" => entry.name = value,
            b"flags" => entry.flags = value,
            b"epoch" => entry.epoch = value,
            b"ver" => entry.version = value,
            b"rel" => entry.release = value,
            _ => {}
        }
    }
    Ok(entry)
}
