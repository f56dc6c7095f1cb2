//! Facets: the aspects of a build's outputs that others may listen to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// One aspect of a binary package, normalised so that it changes only when it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Facet {
    /// SONAMEs and the dynamic symbols shared libraries define.
    Abi,
    /// What the package provides, its own version left out.
    Provides,
    /// Requires, weak dependencies, conflicts and obsoletes.
    Relations,
    /// Scriptlets and triggers.
    Scripts,
    /// What a compiler or a build tool reads: C headers, `.pc`, `.cmake`, `.m4`. Comments in C do not count.
    Headers,
    /// Static archives and object files.
    Static,
    /// RPM macro files.
    Macros,
    /// Programs that can be run.
    Tools,
    /// Other files a program may read, documentation left out.
    Data,
    /// Paths, modes and link targets.
    Files,
    /// Every file's normalised content.
    Content,
}

impl Facet {
    /// Every facet there is.
    pub const ALL: [Self; 11] = [
        Self::Abi,
        Self::Provides,
        Self::Relations,
        Self::Scripts,
        Self::Headers,
        Self::Static,
        Self::Macros,
        Self::Tools,
        Self::Data,
        Self::Files,
        Self::Content,
    ];

    /// Its name in files, columns and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abi => "abi",
            Self::Provides => "provides",
            Self::Relations => "relations",
            Self::Scripts => "scripts",
            Self::Headers => "headers",
            Self::Static => "static",
            Self::Macros => "macros",
            Self::Tools => "tools",
            Self::Data => "data",
            Self::Files => "files",
            Self::Content => "content",
        }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The facets of one binary package: for each, a sorted set of lines.
///
/// A line names the thing first and ends in what may change about it, so that a difference of two sets reads well:
/// `/usr/include/zlib.h sha256:…`, `libz.so.1 deflate FUNC GLOBAL`. A facet without lines is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacets {
    /// The package's name.
    pub package: String,
    /// Its architecture.
    pub arch: String,
    /// The lines of each facet, sorted and without repetition.
    pub facets: BTreeMap<Facet, Vec<String>>,
}

impl PackageFacets {
    /// The lines of one facet; none if the package lacks it.
    pub fn lines(&self, facet: Facet) -> &[String] {
        self.facets.get(&facet).map_or(&[], Vec::as_slice)
    }
}

/// The facets of all packages of one build, sorted by package and architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildFacets(pub Vec<PackageFacets>);

impl BuildFacets {
    /// The digest over all lines: equal when no facet of any package differs.
    pub fn digest(&self) -> Digest {
        let mut fields = Vec::new();
        for package in &self.0 {
            fields.extend([package.package.as_str(), package.arch.as_str()]);
            for (facet, lines) in &package.facets {
                fields.push(facet.as_str());
                fields.extend(lines.iter().map(String::as_str));
            }
        }
        Digest::of_fields(fields)
    }

    /// The packages of a name, one for each architecture.
    pub fn named<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a PackageFacets> {
        self.0.iter().filter(move |facets| facets.package == package)
    }
}

/// How one facet of one package differs between two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacetChange {
    /// The package.
    pub package: String,
    /// The facet.
    pub facet: Facet,
    /// Lines only the new build has.
    pub added: Vec<String>,
    /// Lines only the old build has: removed, or changed.
    pub removed: Vec<String>,
}

impl FacetChange {
    /// Whether the change only adds: harmless where a set only grows.
    pub fn only_adds(&self) -> bool {
        self.removed.is_empty()
    }
}

impl fmt::Display for FacetChange {
    /// `headers of zlib-devel (/usr/include/zlib.h)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.facet, self.package)?;
        let mut lines = self.removed.iter().chain(&self.added);
        let Some(first) = lines.next() else { return Ok(()) };
        let thing =
            |line: &str| line.rsplit_once(" sha256:").map_or(line, |(name, _)| name).to_owned();
        let first = thing(first);
        let others = lines.filter(|line| thing(line) != first).count();
        match others {
            0 => write!(f, " ({first})"),
            n => write!(f, " ({first} and {n} more)"),
        }
    }
}
