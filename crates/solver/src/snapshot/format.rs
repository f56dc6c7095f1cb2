//! The file: a header, a table of sections, and the sections, each at a multiple of 64 bytes.
//!
//! Numbers are little-endian. The header has 64 bytes: the magic, the version, the number of sections, the
//! length of the file, what [`fingerprint`] gives, and the checksum (CRC-32) of the table. An entry of the
//! table has 48: the section's name, its place, its length, its checksum, and the size of its items.

use super::SnapshotError;
use super::map::{Region, View};
use bytemuck::{Pod, Zeroable};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

const MAGIC: [u8; 16] = *b"solver snapshot\n";

/// Rises with each change to what is written.
const VERSION: u32 = 3;

/// More sections than any version has.
const SECTIONS: u32 = 1024;

/// Where sections may begin: lines of the processor's cache.
const ALIGNMENT: usize = 64;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 16],
    fingerprint: u64,
    length: u64,
    version: u32,
    sections: u32,
    table_checksum: u32,
    reserved: [u32; 5],
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    name: [u8; 24],
    start: u64,
    length: u64,
    checksum: u32,
    item_size: u32,
}

/// A number that comes out otherwise where the order of bytes or the hash function, on which stored indexes
/// rest, is another.
fn fingerprint() -> u64 {
    crate::tables::hash_bytes(&MAGIC).rotate_left(7) ^ 0x0102_0304_0506_0708
}

/// Whether a file begins as a snapshot does.
pub(super) fn is_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Whether bytes have a checksum; when fuzzing all do, as no change would get past it otherwise.
fn has_checksum(bytes: &[u8], checksum: u32) -> bool {
    cfg!(fuzzing) || crc32fast::hash(bytes) == checksum
}

/// A section to be written.
pub(super) struct Section<'a> {
    pub(super) name: String,
    pub(super) bytes: std::borrow::Cow<'a, [u8]>,
    pub(super) item_size: usize,
}

/// Writes a whole file.
pub(super) fn write(sections: &[Section<'_>], out: &mut impl Write) -> io::Result<()> {
    let mut at = size_of::<Header>() + sections.len() * size_of::<Entry>();
    let mut entries = Vec::with_capacity(sections.len());
    for section in sections {
        at = at.next_multiple_of(ALIGNMENT);
        entries.push(Entry {
            name: padded(&section.name),
            start: at as u64,
            length: section.bytes.len() as u64,
            checksum: crc32fast::hash(&section.bytes),
            item_size: section.item_size as u32,
        });
        at += section.bytes.len();
    }
    let table: &[u8] = bytemuck::cast_slice(&entries);
    let header = Header {
        magic: MAGIC,
        fingerprint: fingerprint(),
        length: at as u64,
        version: VERSION,
        sections: sections.len() as u32,
        table_checksum: crc32fast::hash(table),
        reserved: [0; 5],
    };
    out.write_all(bytemuck::bytes_of(&header))?;
    out.write_all(table)?;
    let mut written = size_of::<Header>() + table.len();
    for (section, entry) in sections.iter().zip(&entries) {
        out.write_all(&[0; ALIGNMENT][..entry.start as usize - written])?;
        out.write_all(&section.bytes)?;
        written = entry.start as usize + section.bytes.len();
    }
    Ok(())
}

fn padded(name: &str) -> [u8; 24] {
    let mut padded = [0; 24];
    for (to, from) in padded.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    padded
}

/// Makes the checksums fit what a file holds by now, as somebody who means harm would.
#[cfg(test)]
pub(super) fn reseal(bytes: &mut [u8]) {
    let header: Header = bytemuck::pod_read_unaligned(&bytes[..size_of::<Header>()]);
    let end = size_of::<Header>() + header.sections as usize * size_of::<Entry>();
    for at in (size_of::<Header>()..end).step_by(size_of::<Entry>()) {
        let place = at..at + size_of::<Entry>();
        let mut entry: Entry = bytemuck::pod_read_unaligned(&bytes[place.clone()]);
        if let Some(section) = range(&entry).and_then(|range| bytes.get(range)) {
            entry.checksum = crc32fast::hash(section);
            bytes[place].copy_from_slice(bytemuck::bytes_of(&entry));
        }
    }
    let checksum = crc32fast::hash(&bytes[size_of::<Header>()..end]);
    bytes[40..44].copy_from_slice(&checksum.to_le_bytes());
}

/// A file whose header and table hold, and which section comes next.
pub(super) struct Sections {
    region: Arc<Region>,
    entries: Vec<Entry>,
    next: usize,
}

impl Sections {
    pub(super) fn new(region: Region) -> Result<Self, SnapshotError> {
        let bytes = region.bytes();
        if !is_snapshot(bytes) {
            return Err(SnapshotError::NoSnapshot);
        }
        let cut_off = || SnapshotError::Damaged("its header".to_owned());
        let head = bytes.get(..size_of::<Header>()).ok_or_else(cut_off)?;
        let header: Header = bytemuck::pod_read_unaligned(head);
        if header.version != VERSION || header.fingerprint != fingerprint() {
            return Err(SnapshotError::OtherVersion);
        }
        if header.length != bytes.len() as u64 || header.sections > SECTIONS {
            return Err(cut_off());
        }
        let end = size_of::<Header>() + header.sections as usize * size_of::<Entry>();
        let table = bytes.get(size_of::<Header>()..end).ok_or_else(cut_off)?;
        if !has_checksum(table, header.table_checksum) {
            return Err(SnapshotError::Damaged("its table of sections".to_owned()));
        }
        let entries = bytemuck::try_cast_slice(table).map_err(|_| cut_off())?.to_vec();
        Ok(Self { region: Arc::new(region), entries, next: 0 })
    }

    /// The next section, which must have this name and items of this type.
    pub(super) fn take<T: Pod>(&mut self, name: &str) -> Result<View<T>, SnapshotError> {
        let damaged = || SnapshotError::Damaged(format!("its section `{name}`"));
        let entry = self.entries.get(self.next).ok_or_else(damaged)?;
        self.next += 1;
        let is_right = entry.name == padded(name) && entry.item_size as usize == size_of::<T>();
        let range = range(entry).filter(|_| is_right).ok_or_else(damaged)?;
        let bytes = self.region.bytes().get(range.clone()).ok_or_else(damaged)?;
        if !has_checksum(bytes, entry.checksum) {
            return Err(damaged());
        }
        self.region.view(range).ok_or_else(damaged)
    }

    /// Whether every section was taken.
    pub(super) fn is_done(&self) -> bool {
        self.next == self.entries.len()
    }
}

fn range(entry: &Entry) -> Option<Range<usize>> {
    let start = usize::try_from(entry.start).ok()?;
    let end = start.checked_add(usize::try_from(entry.length).ok()?)?;
    Some(start..end)
}
