//! libsolv's test cases (`*.t`): repositories, jobs, and what the solver is expected to do.
//!
//! Described by libsolv's `ext/testcase.c`. A file holds several runs, one behind each `nextjob`.

mod parser;

use super::malformed::Malformed;
use super::record::Relation;
use super::testtags::TestRepository;

/// A test case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestCase {
    /// The repositories, in their order.
    pub repositories: Vec<CaseRepository>,
    /// The runs, in their order; each is complete by itself.
    pub runs: Vec<Run>,
    /// What is not understood, apart from what single repositories do not support.
    pub unsupported: Vec<Malformed>,
}

/// A repository of a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRepository {
    /// Its name.
    pub name: String,
    /// The higher, the better; the part behind the point decides between equals.
    pub priority: (i32, i32),
    /// What is in it.
    pub content: Content<TestRepository>,
}

/// Something that stands in the test case itself or in a file beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<T> {
    /// Nothing.
    Empty,
    /// In the test case.
    Inline(T),
    /// In a file.
    File {
        /// Its format: `testtags`, `susetags`, `helix`, `solv`; for results `lines`.
        format: String,
        /// Its name, relative to the test case; may be packed.
        name: String,
    },
}

/// What one run of the solver is given, and what is expected of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The system.
    pub system: System,
    /// Flags of the pool, as written: `implicitobsoleteusescolors`, `!promoteepoch`.
    pub pool_flags: Vec<String>,
    /// Flags of the solver, as written.
    pub solver_flags: Vec<String>,
    /// Packages that count as absent.
    pub disabled: Vec<Selection>,
    /// Namespaces, each with the packages that fulfil it, as written.
    pub namespaces: Vec<(String, Vec<String>)>,
    /// Vendors that count as one, as written.
    pub vendor_classes: Vec<Vec<String>>,
    /// Features that libsolv must be built with.
    pub features: Vec<String>,
    /// What is to be done.
    pub jobs: Vec<Job>,
    /// Whether the solver of the run before goes on.
    pub is_continued: bool,
    /// What is expected; none if the run is only made.
    pub expected: Option<Expected>,
}

/// The system that is installed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Its architecture; none if any will do. One that begins with `:` is a list of them, best first.
    pub arch: Option<String>,
    /// Whose rules apply: `rpm`, `deb`; empty for those of the host.
    pub distributions: Vec<String>,
    /// The repository of what is installed already.
    pub installed: Option<String>,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `install`, `erase`, `update`, `lock`, `favor` …
    pub action: String,
    /// With what.
    pub selection: Selection,
    /// `weak`, `cleandeps`, `forcebest` …
    pub flags: Vec<String>,
    /// The line of the test case.
    pub line: u32,
}

/// Packages that a job means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// One package, as `name-[epoch:]version-release.arch@repository`.
    Package(String),
    /// Those with a name.
    Name(Relation),
    /// Those that provide something.
    Provides(Relation),
    /// One of several packages.
    OneOf(Vec<String>),
    /// Those of a repository.
    Repository(String),
    /// All.
    All,
}

/// What a run is expected to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Which kinds of lines there are: `transaction`, `problems` …
    pub kinds: Vec<String>,
    /// The lines, in no order that would matter: `install A-1-1.noarch@available`.
    pub lines: Content<Vec<String>>,
}

impl Expected {
    /// The packages that are installed, as `name-evr.arch@repository`, when the lines are in the test case.
    pub fn installed(&self) -> Vec<&str> {
        let Content::Inline(lines) = &self.lines else { return Vec::new() };
        lines.iter().filter_map(|line| line.strip_prefix("install ")).collect()
    }

    /// Whether the run is expected to find that it cannot be done.
    pub fn has_problems(&self) -> bool {
        let Content::Inline(lines) = &self.lines else { return false };
        lines.iter().any(|line| line.starts_with("problem "))
    }
}

impl TestCase {
    /// Reads the text of a test case.
    ///
    /// # Errors
    /// A statement without what it must have, a malformed repository, or text that is not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        parser::parse(bytes)
    }
}

#[cfg(test)]
mod tests;
