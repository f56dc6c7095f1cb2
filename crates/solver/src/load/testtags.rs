//! libsolv's `testtags` format: packages and their dependencies in lines of text.
//!
//! Described by libsolv's `ext/repo_testcase.c`. Dependencies come out as rpm writes them, so that one parser
//! of rich dependencies serves all.

mod dependency;

pub(crate) use dependency::dependency;

use super::malformed::{Malformed, excerpt, text};
use super::record::{Bound, Comparison, PackageRecord, Relation};
use crate::tables::Tables;

/// The packages of a `testtags` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRepository {
    /// The packages, in their order.
    pub packages: Vec<PackageRecord>,
    /// What stands there and cannot be said in rpm's terms, such as namespaces: a test that has any does not
    /// mean the same here.
    pub unsupported: Vec<Malformed>,
}

impl TestRepository {
    /// Adds the packages to the tables, as a repository behind those that are there.
    pub fn enter(&self, tables: &mut Tables, name: &str, priority: i32) {
        for package in &self.packages {
            package.enter(tables);
        }
        tables.close_repository(name, priority, self.packages.len() as u32);
    }
}

/// Reads the text of a `testtags` file.
///
/// # Errors
/// A `=Pkg:` line without its four fields, a block that is never ended, or text that is not UTF-8.
pub fn parse_testtags(bytes: &[u8]) -> Result<TestRepository, Malformed> {
    parse_lines((1..).zip(text(bytes)?.lines()))
}

/// The same for lines that have numbers already.
pub(crate) fn parse_lines<'a>(
    lines: impl Iterator<Item = (u32, &'a str)>,
) -> Result<TestRepository, Malformed> {
    let mut parser = Parser::default();
    for (number, line) in lines {
        parser.take(number, line)?;
    }
    parser.end()
}

/// A block, `+Req:` up to `-Req:`, each line of which is what `=Req:` would say.
struct Block<'a> {
    tag: &'a str,
    line: u32,
}

struct Parser<'a> {
    repository: TestRepository,
    block: Option<Block<'a>>,
    /// The version of the format; the second one has files among the provides.
    version: u32,
    /// Whether each package provides itself without saying so.
    self_provides: bool,
    /// Whether a package has begun.
    begun: bool,
    /// Files that end the provides, in the second version of the format.
    trailing: Vec<String>,
}

impl Default for Parser<'_> {
    fn default() -> Self {
        Self {
            repository: TestRepository::default(),
            block: None,
            version: 0,
            self_provides: true,
            begun: false,
            trailing: Vec::new(),
        }
    }
}

impl<'a> Parser<'a> {
    fn take(&mut self, number: u32, line: &'a str) -> Result<(), Malformed> {
        if let Some(block) = &self.block {
            let is_end = line.strip_prefix('-').and_then(|rest| rest.strip_suffix(':'));
            if is_end == Some(block.tag) {
                self.block = None;
                return Ok(());
            }
            let tag = block.tag;
            return self.statement(number, tag, line);
        }
        if let Some(rest) = line.strip_prefix('+') {
            if let Some((tag, _)) = rest.split_once(':').filter(|(tag, _)| !tag.is_empty()) {
                self.block = Some(Block { tag, line: number });
            }
            return Ok(());
        }
        match line.strip_prefix('=').and_then(|rest| rest.split_once(':')) {
            Some((tag, value)) => {
                self.statement(number, tag, value.strip_prefix(' ').unwrap_or(value))
            }
            // As in libsolv whatever else stands there is a remark.
            None => Ok(()),
        }
    }

    fn statement(&mut self, number: u32, tag: &str, value: &str) -> Result<(), Malformed> {
        match tag {
            "Ver" => {
                let digits = value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
                self.version = digits.parse().unwrap_or(u32::MAX);
                self.self_provides = self.version < 3 || value.contains("addselfprovides");
            }
            "Pkg" => {
                self.finish_package();
                self.repository.packages.push(package(number, value)?);
                self.begun = true;
            }
            _ if !self.begun => {}
            "Vnd" => value.clone_into(&mut self.package().vendor),
            "Fls" => self.package().files.push(value.to_owned()),
            "Prv" if self.version == 2 && value.starts_with('/') => {
                self.trailing.push(value.to_owned());
            }
            _ => self.relation(number, tag, value),
        }
        Ok(())
    }

    fn relation(&mut self, number: u32, tag: &str, value: &str) {
        if tag == "Prv" {
            let files = std::mem::take(&mut self.trailing).into_iter();
            let files = files.map(|name| Relation { name, ..Relation::default() });
            self.package().provides.extend(files);
        }
        let package = self.package();
        let list = match tag {
            "Req" | "Prq" => &mut package.requires,
            "Prv" => &mut package.provides,
            "Con" => &mut package.conflicts,
            "Obs" => &mut package.obsoletes,
            "Rec" => &mut package.recommends,
            "Sug" => &mut package.suggests,
            "Sup" => &mut package.supplements,
            "Enh" => &mut package.enhances,
            _ => return self.note(number, tag),
        };
        match dependency(value) {
            Ok(relation) => list.push(Relation { is_pre: tag == "Prq", ..relation }),
            Err(what) => self.repository.unsupported.push(Malformed::at(number, what)),
        }
    }

    /// Summaries and times change nothing, prerequisites of the removed only matter when something is
    /// removed. The rest belongs to other kinds of packages: constraints, build flavours, tracked features.
    fn note(&mut self, number: u32, tag: &str) {
        if !matches!(tag, "Sum" | "Tim" | "Iti" | "Bvr" | "Ipr") {
            let what = format!("`{}` is not supported", excerpt(tag));
            self.repository.unsupported.push(Malformed::at(number, what));
        }
    }

    fn package(&mut self) -> &mut PackageRecord {
        if self.repository.packages.is_empty() {
            self.repository.packages.push(PackageRecord::default());
        }
        let last = self.repository.packages.len() - 1;
        &mut self.repository.packages[last]
    }

    fn finish_package(&mut self) {
        if !self.begun {
            return;
        }
        let files = std::mem::take(&mut self.trailing);
        let self_provides = self.self_provides;
        let package = self.package();
        package.files.extend(files);
        if self_provides && !matches!(package.arch.as_str(), "src" | "nosrc") {
            let bound = Bound { comparison: Comparison::Equal, evr: evr(package) };
            let name = package.name.clone();
            package.provides.push(Relation { name, bound: Some(bound), is_pre: false });
        }
    }

    fn end(mut self) -> Result<TestRepository, Malformed> {
        if let Some(block) = &self.block {
            let what = format!("the block `+{}:` is never ended", excerpt(block.tag));
            return Err(Malformed::at(block.line, what));
        }
        self.finish_package();
        Ok(self.repository)
    }
}

/// `name version release architecture`, a dash for what is not there.
fn package(number: u32, value: &str) -> Result<PackageRecord, Malformed> {
    let fields: Vec<&str> = value.split_whitespace().take(5).collect();
    let [name, version, release, arch] = fields[..] else {
        let what = format!("`=Pkg: {}` is not a name, version, release, arch", excerpt(value));
        return Err(Malformed::at(number, what));
    };
    let said = |field: &str| if field == "-" { String::new() } else { field.to_owned() };
    let is_number = |epoch: &str| !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit());
    let split = version.split_once(':').filter(|(epoch, _)| is_number(epoch));
    let (epoch, version) = split.unwrap_or(("", version));
    Ok(PackageRecord {
        name: name.to_owned(),
        epoch: epoch.to_owned(),
        version: version.to_owned(),
        release: said(release),
        arch: said(arch),
        ..PackageRecord::default()
    })
}

fn evr(package: &PackageRecord) -> String {
    let mut evr = String::new();
    if !package.epoch.is_empty() {
        evr = format!("{}:", package.epoch);
    }
    evr += &package.version;
    if !package.release.is_empty() {
        evr += "-";
        evr += &package.release;
    }
    evr
}

#[cfg(test)]
mod tests;
