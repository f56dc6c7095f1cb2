//! A package as a header or a test case tells of it: strings, nothing interned.

mod enter;

use std::fmt;

/// A package and its relations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageRecord {
    /// Its name.
    pub name: String,
    /// Its epoch in decimal digits; empty when it has none.
    pub epoch: String,
    /// Its version.
    pub version: String,
    /// Its release; empty when it has none.
    pub release: String,
    /// Its architecture; `src` or `nosrc` for a source package, empty when it has none.
    pub arch: String,
    /// Its vendor; empty when it has none.
    pub vendor: String,
    /// The file name of its source package; empty for a source package itself.
    pub source: String,
    /// What it provides.
    pub provides: Vec<Relation>,
    /// What it requires.
    pub requires: Vec<Relation>,
    /// What it must not be installed with.
    pub conflicts: Vec<Relation>,
    /// What it takes the place of.
    pub obsoletes: Vec<Relation>,
    /// What is installed with it where that is possible.
    pub recommends: Vec<Relation>,
    /// What goes well with it.
    pub suggests: Vec<Relation>,
    /// With what it is installed where that is possible.
    pub supplements: Vec<Relation>,
    /// With what it goes well.
    pub enhances: Vec<Relation>,
    /// Its files, as full paths.
    pub files: Vec<String>,
}

/// A capability, or a set of versions of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// The capability's name, a file's path, or a rich dependency in parentheses as rpm writes it.
    pub name: String,
    /// Which versions; none stands for all.
    pub bound: Option<Bound>,
    /// Whether a requirement must hold before scripts of the package run (`Requires(pre)` and the like).
    pub is_pre: bool,
}

/// A set of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Where they stand to the version.
    pub comparison: Comparison,
    /// The version, as `[epoch:]version[-release]`.
    pub evr: String,
}

/// Where versions stand to a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    /// The operator as rpm writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.bound {
            Some(bound) => write!(f, " {} {}", bound.comparison.as_str(), bound.evr),
            None => Ok(()),
        }
    }
}

/// `name-[epoch:]version-release.arch`, an epoch of 0 and what is empty left out.
impl fmt::Display for PackageRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.name)?;
        if !matches!(self.epoch.as_str(), "" | "0") {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        for (separator, part) in [('-', &self.release), ('.', &self.arch)] {
            if !part.is_empty() {
                write!(f, "{separator}{part}")?;
            }
        }
        Ok(())
    }
}
