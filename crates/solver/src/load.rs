//! Reads what repositories say: rpm-md and its companions, libsolv's test cases, headers of packages.
//!
//! Packages go straight into tables; everything else becomes plain structs. Readers take bytes, and some open local
//! files. What comes from outside has a limit on everything that grows, and an error names the place.

pub mod malformed;

pub mod compressed;
pub mod repomd;
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
use std::ops::Range;

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
    let shares = shares(sources, threads.max(1));
    let mut tables = Tables::new();
    let mut counts = vec![0; sources.len()];
    for (at, share) in parse_shares(sources, &shares, limits).into_iter().enumerate() {
        let (part, read) = share?;
        if at == 0 {
            tables = part;
        } else {
            tables.append(&part);
        }
        for (source, count) in read {
            counts[source] += count;
        }
    }
    for (source, count) in sources.iter().zip(counts) {
        tables.close_repository(source.name, source.priority, count);
    }
    tables.shrink();
    Ok(tables)
}

/// Pieces of documents for one thread, one behind the other.
type Share = Vec<(usize, Range<usize>)>;

/// What a thread read: how many packages of which document.
type Read = Result<(Tables, Vec<(usize, u32)>), LoadError>;

/// Cuts all documents together into equal shares, each piece beginning where a package does.
fn shares(sources: &[Source<'_>], threads: usize) -> Vec<Share> {
    let whole: usize = sources.iter().map(|source| source.bytes.len()).sum();
    let mut shares = vec![Share::new(); threads];
    let mut before = 0;
    for (number, source) in sources.iter().enumerate() {
        let mut start = 0;
        for (thread, share) in shares.iter_mut().enumerate() {
            let aim = whole / threads * (thread + 1);
            let end = if thread + 1 == threads {
                source.bytes.len()
            } else {
                primary::package_behind(source.bytes, aim.saturating_sub(before).max(start))
            };
            if end > start || source.bytes.is_empty() && thread == 0 {
                share.push((number, start..end));
                start = end;
            }
        }
        before += source.bytes.len();
    }
    shares
}

fn parse_shares(sources: &[Source<'_>], shares: &[Share], limits: Limits) -> Vec<Read> {
    let parse = |share: &Share| -> Read {
        let mut tables = Tables::new();
        let mut read = Vec::new();
        for (number, range) in share {
            let before = tables.len();
            primary::parse(&mut tables, &sources[*number], range.clone(), limits)?;
            read.push((*number, (tables.len() - before) as u32));
        }
        Ok((tables, read))
    };
    let Some((first, others)) = shares.split_first() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|share| scope.spawn(|| parse(share))).collect();
        let mut all = vec![parse(first)];
        for other in others {
            match other.join() {
                Ok(read) => all.push(read),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

#[cfg(test)]
mod tests;
