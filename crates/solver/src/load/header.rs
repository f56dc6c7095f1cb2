//! The header of one RPM file: what the package is and what it relates to.
//!
//! The format is described in rpm's `docs/manual/format_*.md`: a lead, a header with signatures, and the
//! header proper, each number in network order. Nothing behind the header is read.

mod tags;

use std::io::{self, Read};

use super::record::{Bound, Comparison, PackageRecord, Relation};
use tags::{RELATIONS, RelationTags, Tag};

/// What the header of a package says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpmHeader {
    /// The package and its relations; of a source package the requirements are what building it needs.
    pub package: PackageRecord,
    /// The module's stream it was built for, `name:stream:version:context`; empty for none.
    pub modularity_label: String,
    /// When it was built, in seconds since 1970.
    pub built: u64,
}

/// Why a header cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The bytes cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It does not begin as an RPM file does.
    #[error("this is no RPM file")]
    NoPackage,
    /// It ends before the header does.
    #[error("the file ends in its {0}")]
    CutOff(&'static str),
    /// It is not what the format asks for.
    #[error("in its {part}, {what}")]
    Malformed {
        /// The part of the file.
        part: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// Why the header of a file cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("could not read {}: {why}", path.display())]
pub struct HeaderFileError {
    /// The file.
    pub path: std::path::PathBuf,
    /// What is wrong with it.
    pub why: HeaderError,
}

/// Entries that one header may have; rpm itself allows as many.
const ENTRIES: usize = 0xffff;

/// Bytes that one header may have: four times the largest known. rpm itself allows 256 MiB.
const BYTES: usize = 64 << 20;

/// Strings or numbers that one tag may have: files of the largest packages are some 100,000.
const ITEMS: usize = 1 << 20;

/// Bytes that all paths together may have; a path is a folder, named once for many, and a name.
const PATHS: usize = 128 << 20;

const SIGNATURES: &str = "signatures";
const HEADER: &str = "header";

/// Reads the header from the bytes of an RPM file, which may end behind it.
///
/// # Errors
/// It is no RPM file, ends too early, or breaks the format or a limit.
pub fn parse_header(bytes: &[u8]) -> Result<RpmHeader, HeaderError> {
    read_header(bytes)
}

/// The same from a file or a stream, of which no more is read than the header.
///
/// # Errors
/// As [`parse_header`], and what reading gives.
pub fn read_header(mut source: impl Read) -> Result<RpmHeader, HeaderError> {
    let lead = take(&mut source, 96, "lead")?;
    if !lead.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        return Err(HeaderError::NoPackage);
    }
    let signatures = Section::read(&mut source, SIGNATURES)?;
    take(
        &mut source,
        signatures.data.len().next_multiple_of(8) - signatures.data.len(),
        SIGNATURES,
    )?;
    Section::read(&mut source, HEADER)?.header()
}

/// The same from a file.
///
/// # Errors
/// As [`read_header`], with the file's name.
pub fn open_header(path: &std::path::Path) -> Result<RpmHeader, HeaderFileError> {
    let read = std::fs::File::open(path).map_err(HeaderError::Read).and_then(read_header);
    read.map_err(|why| HeaderFileError { path: path.to_owned(), why })
}

fn take(source: &mut impl Read, size: usize, part: &'static str) -> Result<Vec<u8>, HeaderError> {
    let mut bytes = Vec::new();
    source.take(size as u64).read_to_end(&mut bytes)?;
    if bytes.len() < size { Err(HeaderError::CutOff(part)) } else { Ok(bytes) }
}

/// One header: an index of tags, and their data.
struct Section {
    part: &'static str,
    index: Vec<u8>,
    data: Vec<u8>,
}

/// What the index says of a tag.
#[derive(Clone, Copy)]
struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

const INT16: u32 = 3;
const INT32: u32 = 4;
const STRINGS: [u32; 3] = [6, 8, 9];

impl Section {
    fn read(source: &mut impl Read, part: &'static str) -> Result<Self, HeaderError> {
        let wrong = |what: String| HeaderError::Malformed { part, what };
        let intro = take(source, 16, part)?;
        if !intro.starts_with(&[0x8e, 0xad, 0xe8, 1]) {
            return Err(wrong("the first bytes are not those of a header".to_owned()));
        }
        let (entries, size) = (number(&intro, 8), number(&intro, 12));
        if entries > ENTRIES {
            return Err(wrong(format!("{entries} entries are more than {ENTRIES}")));
        }
        if size > BYTES {
            return Err(wrong(format!("{size} bytes are more than {BYTES}")));
        }
        let index = take(source, entries * 16, part)?;
        Ok(Self { part, index, data: take(source, size, part)? })
    }

    fn wrong(&self, tag: Tag, what: &str) -> HeaderError {
        let what = format!("tag {} ({}) {what}", tag.number, tag.name);
        HeaderError::Malformed { part: self.part, what }
    }

    /// The first entry of a tag, with a count that is within the limit.
    fn entry(&self, tag: Tag) -> Result<Option<Entry>, HeaderError> {
        let mut entries = self.index.chunks_exact(16);
        let Some(entry) = entries.find(|entry| number(entry, 0) == tag.number as usize) else {
            return Ok(None);
        };
        let (offset, count) = (number(entry, 8), number(entry, 12));
        if count == 0 || count > ITEMS {
            return Err(self.wrong(tag, &format!("has {count} items")));
        }
        if offset >= self.data.len() {
            return Err(self.wrong(tag, "lies outside of the data"));
        }
        Ok(Some(Entry { kind: number(entry, 4) as u32, offset, count }))
    }

    /// The strings of a tag as bytes; nothing if it is not there.
    fn strings(&self, tag: Tag) -> Result<Vec<&[u8]>, HeaderError> {
        let Some(entry) = self.entry(tag)? else { return Ok(Vec::new()) };
        if !STRINGS.contains(&entry.kind) {
            return Err(self.wrong(tag, "is no string"));
        }
        // The last string, too, ends with a zero.
        let mut pieces = self.data[entry.offset..].split_inclusive(|byte| *byte == 0);
        let mut strings = Vec::new();
        for _ in 0..entry.count {
            let piece = pieces.next().and_then(|piece| piece.strip_suffix(&[0]));
            strings.push(piece.ok_or_else(|| self.wrong(tag, "ends outside of the data"))?);
        }
        Ok(strings)
    }

    /// The strings of a tag as text.
    fn texts(&self, tag: Tag) -> Result<Vec<String>, HeaderError> {
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.wrong(tag, "is not UTF-8")),
        };
        self.strings(tag)?.into_iter().map(text).collect()
    }

    /// The first string of a tag; empty if it is not there.
    fn text(&self, tag: Tag) -> Result<String, HeaderError> {
        Ok(self.texts(tag)?.into_iter().next().unwrap_or_default())
    }

    fn required(&self, tag: Tag) -> Result<String, HeaderError> {
        match self.text(tag)? {
            text if text.is_empty() => Err(self.wrong(tag, "is missing")),
            text => Ok(text),
        }
    }

    /// The numbers of a tag; nothing if it is not there.
    fn numbers(&self, tag: Tag) -> Result<Vec<usize>, HeaderError> {
        let Some(entry) = self.entry(tag)? else { return Ok(Vec::new()) };
        let width = match entry.kind {
            INT16 => 2,
            INT32 => 4,
            _ => return Err(self.wrong(tag, "is no number")),
        };
        let bytes = self.data.get(entry.offset..entry.offset + entry.count * width);
        let bytes = bytes.ok_or_else(|| self.wrong(tag, "ends outside of the data"))?;
        let value =
            |number: &[u8]| number.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        Ok(bytes.chunks_exact(width).map(value).collect())
    }

    fn header(&self) -> Result<RpmHeader, HeaderError> {
        let mut package = PackageRecord {
            name: self.required(tags::NAME)?,
            epoch: self.numbers(tags::EPOCH)?.first().map_or_else(String::new, ToString::to_string),
            version: self.required(tags::VERSION)?,
            release: self.required(tags::RELEASE)?,
            arch: self.arch()?,
            vendor: self.text(tags::VENDOR)?,
            source: self.text(tags::SOURCE_RPM)?,
            files: self.files()?,
            ..PackageRecord::default()
        };
        for (tags, list) in RELATIONS.iter().zip(tags::lists(&mut package)) {
            *list = self.relations(tags)?;
        }
        Ok(RpmHeader {
            package,
            modularity_label: self.text(tags::MODULARITY_LABEL)?,
            built: self.numbers(tags::BUILD_TIME)?.first().map_or(0, |time| *time as u64),
        })
    }

    /// A source package says in its header which architecture it was made on; what it is itself is `src`.
    fn arch(&self) -> Result<String, HeaderError> {
        let is_source = self.entry(tags::SOURCE_PACKAGE)?.is_some();
        let lacks_source =
            self.entry(tags::NO_SOURCE)?.is_some() || self.entry(tags::NO_PATCH)?.is_some();
        match (is_source, lacks_source) {
            (true, true) => Ok("nosrc".to_owned()),
            (true, false) => Ok("src".to_owned()),
            (false, _) => self.required(tags::ARCH),
        }
    }

    /// The files as full paths. A name that is not UTF-8 cannot be required by anything; it is shown as well
    /// as can be.
    fn files(&self) -> Result<Vec<String>, HeaderError> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let names = self.strings(tags::BASE_NAMES)?;
        if names.is_empty() {
            return Ok(self.strings(tags::OLD_FILE_NAMES)?.into_iter().map(shown).collect());
        }
        let folders = self.strings(tags::FOLDER_NAMES)?;
        let indexes = self.numbers(tags::FOLDER_INDEXES)?;
        if indexes.len() != names.len() {
            return Err(self.wrong(tags::FOLDER_INDEXES, "is not as long as the list of files"));
        }
        let (mut files, mut total) = (Vec::with_capacity(names.len()), 0);
        for (name, index) in names.into_iter().zip(indexes) {
            let outside = || self.wrong(tags::FOLDER_INDEXES, "names a folder that is not there");
            let path = [*folders.get(index).ok_or_else(outside)?, name].concat();
            total += path.len();
            if total > PATHS {
                return Err(self.wrong(tags::BASE_NAMES, "has paths that are too long"));
            }
            files.push(shown(&path));
        }
        Ok(files)
    }

    fn relations(&self, tags: &RelationTags) -> Result<Vec<Relation>, HeaderError> {
        let names = self.texts(tags.names)?;
        let (flags, versions) = (self.numbers(tags.flags)?, self.texts(tags.versions)?);
        if flags.len() != names.len() || versions.len() != names.len() {
            return Err(self.wrong(tags.names, "has not as many flags and versions as names"));
        }
        let relations = names.into_iter().zip(flags).zip(versions);
        Ok(relations.map(|((name, flags), evr)| relation(name, flags, evr)).collect())
    }
}

/// The flags are those of rpm's `rpmsenseFlags`.
fn relation(name: String, flags: usize, evr: String) -> Relation {
    const PREREQUISITE: usize = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;
    let comparison = match flags >> 1 & 7 {
        1 => Some(Comparison::Less),
        2 => Some(Comparison::Greater),
        4 => Some(Comparison::Equal),
        5 => Some(Comparison::LessOrEqual),
        6 => Some(Comparison::GreaterOrEqual),
        // Neither, or less and greater at once: rpm lets either stand for every version.
        _ => None,
    };
    let comparison = comparison.filter(|_| !evr.is_empty());
    let bound = comparison.map(|comparison| Bound { comparison, evr });
    Relation { name, bound, is_pre: flags & PREREQUISITE != 0 }
}

/// The four bytes at a place as a number; the caller has made sure that they are there.
fn number(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests;
