//! `repomd.xml`: which metadata files a repository has, and the checksums they must have.
//!
//! The format has no specification; this follows what createrepo_c writes and librepo reads.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use sha2::Digest as _;
use sha2::digest::DynDigest;

use super::malformed::{Malformed, excerpt};
use super::xml::{Element, each_record};

/// More files than any repository has.
const RECORDS: usize = 1000;

/// What `repomd.xml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryMetadata {
    /// The revision, often seconds since 1970; empty when none is given.
    pub revision: String,
    /// The metadata files, in their order.
    pub records: Vec<Record>,
}

/// One metadata file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `primary`, `filelists`, `group`, `modules`, `updateinfo` …
    pub kind: String,
    /// Where it is, relative to the repository: `repodata/…-primary.xml.gz`.
    pub location: String,
    /// The checksum of the file as it is.
    pub checksum: Option<Checksum>,
    /// The checksum of what it unpacks to.
    pub open_checksum: Option<Checksum>,
    /// The size of the file as it is, in bytes.
    pub size: Option<u64>,
    /// The size of what it unpacks to, in bytes.
    pub open_size: Option<u64>,
    /// When it was made, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// The line of `repomd.xml` that names it.
    pub line: u32,
}

/// A checksum as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The function's name as written, e.g. `sha256`.
    pub function: String,
    /// The digest in lower-case hexadecimal digits.
    pub digest: String,
}

/// The checksum's function is not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported checksum `{0}`; sha256, sha384, sha512, sha224, sha1 and md5 are supported")]
pub struct UnsupportedChecksum(pub String);

impl Checksum {
    /// The checksum of bytes.
    pub(crate) fn sha256(bytes: &[u8]) -> Self {
        let digest = hexadecimal(&sha2::Sha256::digest(bytes));
        Self { function: "sha256".to_owned(), digest }
    }

    /// Takes in bytes bit by bit, where they are too many to have them all at once.
    ///
    /// # Errors
    /// The function is not known here.
    pub fn hasher(&self) -> Result<Hasher, UnsupportedChecksum> {
        let state: Box<dyn DynDigest + Send + Sync> = match self.function.as_str() {
            "sha256" => Box::new(sha2::Sha256::default()),
            "sha384" => Box::new(sha2::Sha384::default()),
            "sha512" => Box::new(sha2::Sha512::default()),
            "sha224" => Box::new(sha2::Sha224::default()),
            // Repositories of before 2009 say `sha` and mean SHA-1.
            "sha" | "sha1" => Box::new(sha1::Sha1::default()),
            "md5" => Box::new(md5::Md5::default()),
            other => return Err(UnsupportedChecksum(excerpt(other))),
        };
        Ok(Hasher(state))
    }

    /// Whether these bytes have this checksum.
    ///
    /// # Errors
    /// The function is not known here.
    pub fn matches(&self, bytes: &[u8]) -> Result<bool, UnsupportedChecksum> {
        let mut hasher = self.hasher()?;
        hasher.update(bytes);
        Ok(hasher.digest() == self.digest)
    }
}

/// A checksum in the making.
pub struct Hasher(Box<dyn DynDigest + Send + Sync>);

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// How many hexadecimal digits the digest will have.
    pub fn digits(&self) -> usize {
        2 * self.0.output_size()
    }

    /// The digest of what was taken in, in lower-case hexadecimal digits.
    pub fn digest(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", excerpt(&self.function), excerpt(&self.digest))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl RepositoryMetadata {
    /// Reads the text of a `repomd.xml`.
    ///
    /// # Errors
    /// It is no XML, no `<repomd>`, or a record lacks what it must have.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut metadata = Self::default();
        each_record(bytes, "repomd", |element| {
            match element.name.as_str() {
                "revision" => element.text.trim().clone_into(&mut metadata.revision),
                "data" if metadata.records.len() == RECORDS => {
                    return Err(Malformed::at(element.line, "too many records"));
                }
                "data" => metadata.records.push(Record::parse(&element)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(metadata)
    }

    /// The first record of a kind.
    pub fn record(&self, kind: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.kind == kind)
    }
}

impl Record {
    fn parse(element: &Element) -> Result<Self, Malformed> {
        let missing = || Malformed::at(element.line, "<data> has no <location>");
        let location = element.child("location").ok_or_else(missing)?;
        Ok(Self {
            kind: element.required("type")?.to_owned(),
            location: location.required("href")?.to_owned(),
            checksum: checksum(element, "checksum")?,
            open_checksum: checksum(element, "open-checksum")?,
            size: number(element, "size")?,
            open_size: number(element, "open-size")?,
            timestamp: number(element, "timestamp")?,
            line: element.line,
        })
    }

    /// The location as a path that stays in the repository; none if it would lead out of it.
    pub fn path(&self) -> Option<PathBuf> {
        let path = Path::new(&self.location);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let plain = !self.location.is_empty() && !self.location.contains(['\\', '\0']);
        (inside && plain).then(|| path.to_owned())
    }
}

fn checksum(element: &Element, name: &str) -> Result<Option<Checksum>, Malformed> {
    let Some(child) = element.child(name) else { return Ok(None) };
    let (function, digest) = (child.required("type")?, child.text.trim());
    if digest.is_empty() || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let what = format!("<{name}> holds `{}`, which is no checksum", excerpt(digest));
        return Err(Malformed::at(child.line, what));
    }
    let function = function.to_ascii_lowercase();
    Ok(Some(Checksum { function, digest: digest.to_ascii_lowercase() }))
}

fn number(element: &Element, name: &str) -> Result<Option<u64>, Malformed> {
    let Some(child) = element.child(name) else { return Ok(None) };
    let text = child.text.trim();
    // Old versions of createrepo write time stamps with a fraction.
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().map(Some).map_err(|_| {
        Malformed::at(child.line, format!("<{name}> holds `{}`, which is no number", excerpt(text)))
    })
}

#[cfg(test)]
mod tests;
