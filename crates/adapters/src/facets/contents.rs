//! The lines of the facets that are in a package's payload: what kind each file is, and its normalised content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use model::digest::Digest;
use model::facet::Facet;
use object::read::archive::ArchiveFile;

use super::Lines;
use super::comments::without_comments;
use super::cpio::{CpioError, Entries, Entry};
use super::elf::{self, Elf};
use super::header::{FileEntry, Header};
use super::own_version::OwnVersions;
use super::relations::{GHOST, is_debug};

/// What is wrong with the files of a package.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The payload itself is damaged.
    #[error(transparent)]
    Cpio(#[from] CpioError),
    /// The payload holds a file the header does not know.
    #[error("{0} is in the payload but not in the header")]
    Unlisted(String),
    /// The header lists a file the payload lacks.
    #[error("{0} is in the header but not in the payload")]
    Missing(String),
    /// A shared library that cannot be read as one.
    #[error("{path} is not a readable shared library: {source}")]
    Elf {
        /// The file in the package.
        path: String,
        /// What is wrong with it.
        source: object::Error,
    },
}

const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DOCUMENTATION: u32 = 1 << 1;
const LICENCE: u32 = 1 << 7;

const C_ENDINGS: [&str; 14] =
    ["h", "hh", "hpp", "hxx", "h++", "H", "inl", "ipp", "tcc", "tpp", "c", "cc", "cpp", "ixx"];

/// The facets of a payload, as `rpm2cpio` prints it.
pub(crate) fn lines(
    payload: impl Read,
    header: &Header,
    own: &OwnVersions,
) -> Result<Lines, PayloadError> {
    let mut entries = Entries::new(payload);
    let mut found = Lines::default();
    let mut seen = BTreeSet::new();
    // Names of files whose content comes with their last name.
    let mut waiting: BTreeMap<(u32, u32, u32), Vec<String>> = BTreeMap::new();
    while let Some(entry) = entries.next_entry()? {
        let Entry { path, mode, inode, links, data } = entry;
        if mode & FILE_TYPE != REGULAR {
            continue;
        }
        let names = waiting.entry(inode).or_default();
        names.push(path);
        if links > 1 && data.is_empty() {
            continue;
        }
        for path in waiting.remove(&inode).unwrap_or_default() {
            found.extend(file(&path, data.clone(), header, own)?);
            seen.insert(path);
        }
    }
    // What is left had several names and is empty.
    for path in waiting.into_values().flatten() {
        found.extend(file(&path, Vec::new(), header, own)?);
        seen.insert(path);
    }
    let is_expected =
        |entry: &FileEntry| entry.mode & FILE_TYPE == REGULAR && entry.flags & GHOST == 0;
    match header.files.iter().find(|(path, entry)| is_expected(entry) && !seen.contains(*path)) {
        None => Ok(found),
        Some((path, _)) => Err(PayloadError::Missing(path.clone())),
    }
}

fn file(
    path: &str,
    data: Vec<u8>,
    header: &Header,
    own: &OwnVersions,
) -> Result<Lines, PayloadError> {
    let entry = header.files.get(path).ok_or_else(|| PayloadError::Unlisted(path.to_owned()))?;
    let mut lines = Lines::default();
    if is_debug(path) {
        return Ok(lines);
    }
    let elf = read_elf(path, &data)?;
    let raw = Digest::of(&data);
    let content = normalise(path, data, elf.as_ref(), own);
    let line = |content: &[u8]| format!("{path} sha256:{}", Digest::of(content));
    lines.push((Facet::Content, line(&content)));
    if let Some(elf) = elf.filter(|elf| elf.is_library) {
        lines.extend(abi(path, &elf, raw).into_iter().map(|line| (Facet::Abi, line)));
        return Ok(lines);
    }
    match facet(path, entry) {
        Some(Facet::Headers) if is_c(path) => {
            lines.push((Facet::Headers, line(&without_comments(&content))));
        }
        Some(facet) => lines.push((facet, line(&content))),
        None => {}
    }
    Ok(lines)
}

/// Reads an ELF file. One that does not pose as a shared library may be as broken as it likes: it is data.
fn read_elf(path: &str, data: &[u8]) -> Result<Option<Elf>, PayloadError> {
    if !elf::is_elf(data) {
        return Ok(None);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let poses = elf::claims_shared_object(data) || name.ends_with(".so") || name.contains(".so.");
    match elf::read(data) {
        Ok(elf) => Ok(Some(elf)),
        Err(source) if poses => Err(PayloadError::Elf { path: path.to_owned(), source }),
        Err(_) => Ok(None),
    }
}

/// The lines of a library. One whose symbols cannot be found counts as changed whenever its bytes do.
fn abi(path: &str, elf: &Elf, raw: Digest) -> Vec<String> {
    let name = elf.soname.as_deref().unwrap_or(path);
    let mut lines = Vec::new();
    if elf.soname.is_some() {
        lines.push(format!("{name} SONAME"));
    }
    match &elf.symbols {
        Some(symbols) => lines.extend(symbols.iter().map(|symbol| format!("{name} {symbol}"))),
        None => lines.push(format!("{name} without a symbol table sha256:{raw}")),
    }
    lines
}

/// Which facet besides `content` a regular file that is no shared library belongs to.
fn facet(path: &str, entry: &FileEntry) -> Option<Facet> {
    const QUIET: [&str; 6] = [
        "/usr/share/doc/",
        "/usr/share/licenses/",
        "/usr/share/man/",
        "/usr/share/info/",
        "/usr/share/gtk-doc/",
        "/usr/share/help/",
    ];
    let has_part = |parts: &[&str]| path.split('/').any(|part| parts.contains(&part));
    if QUIET.iter().any(|folder| path.starts_with(folder)) {
        None
    } else if path.starts_with("/usr/lib/rpm/") || path.starts_with("/etc/rpm/") {
        Some(Facet::Macros)
    } else if matches!(ending(path), "a" | "o" | "la" | "lo") {
        Some(Facet::Static)
    } else if has_part(&["include"])
        || matches!(ending(path), "h" | "hpp" | "hh" | "hxx" | "pc" | "cmake" | "m4")
    {
        Some(Facet::Headers)
    } else if entry.mode & 0o111 != 0 && has_part(&["bin", "sbin", "libexec"]) {
        Some(Facet::Tools)
    } else if entry.flags & (DOCUMENTATION | LICENCE) != 0 {
        None
    } else {
        Some(Facet::Data)
    }
}

/// Whether comments of C mean nothing in a file: a header by its ending, or one of C++ that has none.
fn is_c(path: &str) -> bool {
    let ending = ending(path);
    C_ENDINGS.contains(&ending) || (ending.is_empty() && path.contains("/include/"))
}

/// What follows the last dot of a file's name; empty without one.
fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The content without what differs between two builds of the same source.
fn normalise(path: &str, mut data: Vec<u8>, elf: Option<&Elf>, own: &OwnVersions) -> Vec<u8> {
    if let Some(elf) = elf {
        blank(&mut data, elf);
        return data;
    }
    if let Some(members) = archive(&data) {
        return members;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    match ending(path) {
        "pyc" => {
            blank_source_time(&mut data);
            data
        }
        "pc" => own.pkg_config(&data),
        "cmake" if name.ends_with("version.cmake") => own.any_in(&data),
        _ if path.starts_with("/usr/lib/rpm/") || path.starts_with("/etc/rpm/") => {
            own.full_in(&data)
        }
        _ => data,
    }
}

fn blank(data: &mut [u8], elf: &Elf) {
    for range in &elf.noise {
        if let Some(bytes) = data.get_mut(range.clone()) {
            bytes.fill(0);
        }
    }
}

/// The names and normalised contents of an archive's members, in their order: not their times and owners.
/// None if it is no archive, or one that cannot be read to its end.
fn archive(data: &[u8]) -> Option<Vec<u8>> {
    if !data.starts_with(b"!<arch>\n") {
        return None;
    }
    let archive = ArchiveFile::parse(data).ok()?;
    let mut out = b"archive\n".to_vec();
    for member in archive.members() {
        let member = member.ok()?;
        let mut content = member.data(data).ok()?.to_vec();
        if let Ok(elf) = elf::read(&content) {
            blank(&mut content, &elf);
        }
        out.extend_from_slice(&(member.name().len() as u64).to_be_bytes());
        out.extend_from_slice(member.name());
        out.extend_from_slice(&(content.len() as u64).to_be_bytes());
        out.extend_from_slice(&content);
    }
    Some(out)
}

/// Blanks the time of the source in a compiled Python file, unless it is marked as checked by hash (PEP 552).
fn blank_source_time(data: &mut [u8]) {
    let Some(&[low, high, b'\r', b'\n', flags, ..]) = data.get(..16) else { return };
    let magic = u16::from_le_bytes([low, high]);
    // The flags came with Python 3.7; its magic numbers start at 3390, and Python 2 counted from 20121 on.
    let has_flags = (3390..20_121).contains(&magic);
    match has_flags {
        true if flags & 1 == 0 => data[8..12].fill(0),
        true => {}
        false => data[4..8].fill(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, mode: u32, flags: u32, expected: Option<Facet>) {
        let entry = FileEntry { mode, flags, ..FileEntry::default() };
        assert_eq!(facet(path, &entry), expected, "{path}");
    }

    #[test]
    fn files_have_the_facet_their_users_read() {
        check("/usr/include/a/b.h", 0o100_644, 0, Some(Facet::Headers));
        check("/usr/include/a/b", 0o100_644, 0, Some(Facet::Headers));
        check("/usr/lib64/pkgconfig/a.pc", 0o100_644, 0, Some(Facet::Headers));
        check("/usr/share/aclocal/a.m4", 0o100_644, 0, Some(Facet::Headers));
        check("/usr/share/doc/a/example.h", 0o100_644, 2, None);
        check("/usr/lib64/liba.a", 0o100_644, 0, Some(Facet::Static));
        check("/usr/lib64/crt1.o", 0o100_644, 0, Some(Facet::Static));
        check("/usr/lib/rpm/macros.d/macros.a", 0o100_644, 0, Some(Facet::Macros));
        check("/etc/rpm/macros.a", 0o100_644, 1, Some(Facet::Macros));
        check("/usr/bin/a", 0o100_755, 0, Some(Facet::Tools));
        check("/usr/libexec/a/b", 0o100_755, 0, Some(Facet::Tools));
        check("/usr/bin/a", 0o100_644, 0, Some(Facet::Data));
        check("/usr/share/a/b", 0o100_755, 0, Some(Facet::Data));
        check("/usr/share/man/man1/a.1", 0o100_644, 2, None);
        check("/usr/share/a/COPYING", 0o100_644, 128, None);
    }

    #[test]
    fn times_of_compiled_python_do_not_count() {
        let pyc = |flags: u8, time: u8| {
            let mut data = vec![0xcb, 0x0d, b'\r', b'\n', flags, 0, 0, 0];
            data.extend([time; 4].into_iter().chain([9; 8]));
            blank_source_time(&mut data);
            data
        };
        assert_eq!(pyc(0, 1), pyc(0, 2));
        assert_ne!(pyc(1, 1), pyc(1, 2));
    }
}
