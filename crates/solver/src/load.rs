//! Reads what repositories say: rpm-md and its companions, libsolv's test cases, headers of packages.
//!
//! Packages go straight into tables; everything else becomes plain structs. Readers take bytes; files are opened behind
//! the feature `read` only. What comes from outside has a limit on everything that grows, and an error names the place.

pub mod malformed;

pub mod compressed;
pub mod repomd;
#[cfg(feature = "read")]
pub mod repository;

pub mod filelists;
pub mod primary;
mod scan;

pub mod comps;
pub mod modules;
pub mod updateinfo;

pub mod header;
pub mod record;
pub mod testcase;
pub mod testtags;

mod xml;

use crate::tables::Tables;

/// What a reader of metadata refuses to go beyond.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one unpacked document.
    pub document_bytes: usize,
    /// Bytes of one name, version, path or rich dependency.
    pub text_bytes: usize,
    /// Relations of one package under all headings.
    pub relations: usize,
}

impl Default for Limits {
    /// Four times what the largest distributions have.
    fn default() -> Self {
        Self { document_bytes: 2 << 30, text_bytes: 64 << 10, relations: 1 << 20 }
    }
}

/// Why a document could not be read, with the place.
#[derive(Debug, thiserror::Error)]
#[error("{document}, line {line}{}: {problem}", in_package(.package))]
pub struct LoadError {
    /// What was read, as the caller called it.
    pub document: String,
    /// Line of the problem, the first being 1.
    pub line: usize,
    /// Offset of the problem in bytes.
    pub byte: usize,
    /// The package in which it stands, where known.
    pub package: String,
    /// What is wrong.
    pub problem: Problem,
}

fn in_package(package: &str) -> String {
    if package.is_empty() { String::new() } else { format!(", package {package}") }
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    /// The end came within an element.
    #[error("the document ends within an element")]
    Truncated,
    /// A `<` or an attribute that XML does not allow.
    #[error("this is not well-formed XML")]
    Malformed,
    /// An entity other than XML's five and numbered characters.
    #[error("the entity is not known")]
    UnknownEntity,
    /// A comparison other than EQ, LT, LE, GT, GE.
    #[error("the comparison is not one of EQ, LT, LE, GT, GE")]
    UnknownComparison,
    /// A package without something every package has.
    #[error("the package has no {0}")]
    Missing(&'static str),
    /// Something is larger than the limit.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// The limit, in bytes or items.
        limit: usize,
    },
    /// The document is not what it is read as.
    #[error("the document has no element <{0}>")]
    WrongDocument(&'static str),
}

impl LoadError {
    /// Places a problem found at a byte of a document.
    pub(crate) fn at(document: &str, bytes: &[u8], byte: usize, problem: Problem) -> Self {
        let before = &bytes[..byte.min(bytes.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        Self { document: document.to_owned(), line, byte, package: String::new(), problem }
    }
}

/// A document whose packages become one repository of the tables.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What errors and reports call it.
    pub name: &'a str,
    /// The unpacked document.
    pub bytes: &'a [u8],
    /// Priority of the repository; the higher one wins.
    pub priority: i32,
}

/// Reads several `primary.xml` documents, each into a repository of its own, on as many threads as told.
/// The result does not depend on the number of threads.
///
/// # Errors
/// The first problem, in the order of the documents.
pub fn load_primaries(
    sources: &[Source<'_>],
    limits: Limits,
    threads: usize,
) -> Result<Tables, LoadError> {
    let mut parts = Vec::new();
    let whole: usize = sources.iter().map(|source| source.bytes.len()).sum();
    for source in sources {
        let share = (source.bytes.len() * threads).div_ceil(whole.max(1)).clamp(1, threads.max(1));
        for range in primary::split(source.bytes, share) {
            parts.push((source, range));
        }
    }
    let mut read = parse_parts(&parts, limits, threads)?.into_iter();
    let mut tables = read.next().unwrap_or_default();
    let mut names = parts.iter().map(|(source, _)| source);
    let mut last = names.next();
    for part in read {
        let source = names.next();
        close_if_done(&mut tables, last, source);
        tables.append(&part);
        last = source;
    }
    close_if_done(&mut tables, last, None);
    tables.shrink();
    Ok(tables)
}

fn close_if_done(tables: &mut Tables, last: Option<&&Source<'_>>, next: Option<&&Source<'_>>) {
    if let Some(last) = last
        && next.is_none_or(|next| !std::ptr::eq(*next, *last))
    {
        tables.close_repository(last.name, last.priority);
    }
}

type Part<'a, 'b> = (&'b Source<'a>, std::ops::Range<usize>);

/// Parses the parts, each thread taking the next one nobody has.
fn parse_parts(
    parts: &[Part<'_, '_>],
    limits: Limits,
    threads: usize,
) -> Result<Vec<Tables>, LoadError> {
    let parse = |(source, range): &Part<'_, '_>| {
        primary::parse(source.name, source.bytes, range.clone(), limits)
    };
    if threads < 2 {
        return parts.iter().map(parse).collect();
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(part) = parts.get(at) else { return done };
            done.push((at, parse(part)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, tables)| tables).collect()
}
