//! Repositories and questions written by hand, a package a line, for tests.
//!
//! ```text
//! # name-[epoch:]version-release.architecture: what it says of others
//! glibc-2.38-1.x86_64: provides libc.so.6, conflicts kernel < 3
//! bash-5.2-1.x86_64: requires libc.so.6, glibc >= 2.30, recommends (docs if man)
//! repository updates 10
//! bash-5.3-1.x86_64: requires libc.so.6
//! hello
//! ```
//!
//! A part without a heading goes on with the one before it. A name alone, without a dot, is version 1-1 for `x86_64`. What
//! follows a line `repository` belongs to that repository, of that priority. Every package but a source
//! provides its own name and version.

use crate::solve::{Job, RequestError};
use crate::tables::{Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation};
use crate::tables::{StringId, Tables};
use crate::universe::{Options, Universe, UniverseError};

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum NotationError {
    /// Not a package's name and version.
    #[error("`{0}` is no name-version-release.architecture")]
    Package(String),
    /// Neither a heading nor something under one.
    #[error("`{0}` stands under no heading")]
    Heading(String),
    /// Neither a name, nor one with a comparison and a version, nor a rich dependency.
    #[error("`{0}` is no dependency")]
    Dependency(String),
    /// Not a name and a priority.
    #[error("`{0}` is no name and priority")]
    Repository(String),
    /// The tables hold something that cannot be solved over.
    #[error(transparent)]
    Universe(#[from] UniverseError),
    /// Something that is asked for is no request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No package has this name, or this NEVRA.
    #[error("there is no package `{0}`")]
    Unknown(String),
}

/// Reads packages, one a line, into tables.
///
/// # Errors
/// What is wrong with a line.
pub fn tables(text: &str) -> Result<Tables, NotationError> {
    let mut tables = Tables::new();
    let (mut name, mut priority) = ("packages", 0);
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("repository ") {
            tables.close_repository(name, priority);
            (name, priority) = rest
                .split_once(' ')
                .and_then(|(name, priority)| Some((name, priority.parse().ok()?)))
                .ok_or_else(|| NotationError::Repository(rest.to_owned()))?;
        } else {
            add_package(&mut tables, line)?;
        }
    }
    tables.close_repository(name, priority);
    Ok(tables)
}

/// Reads packages into a universe for `x86_64`, without those whose name or NEVRA is among the excluded.
///
/// # Errors
/// What is wrong with a line, or with a rich dependency.
pub fn universe(text: &str, excluded: &[&str]) -> Result<Universe, NotationError> {
    let tables = tables(text)?;
    let is_excluded = |id: &PackageId| {
        excluded.iter().any(|name| *name == tables.name(*id) || *name == tables.nevra(*id))
    };
    let excluded = tables.ids().filter(is_excluded).collect();
    Ok(Universe::new(tables, &Options { excluded, ..Options::default() })?)
}

/// Reads a question: parts between commas, each what [`Job::install`] takes, or `package NAME`,
/// `source NAME`, `exclude NAME`, `lock NAME`, `favour NAME`, where a name may be a NEVRA.
///
/// # Errors
/// Where a part is nothing of these.
pub fn job(universe: &Universe, text: &str) -> Result<Job, NotationError> {
    let mut job = Job::new();
    for part in parts(text) {
        let (word, name) = part.split_once(' ').unwrap_or((part, ""));
        match word {
            "package" => job.package(find(universe, name)?),
            "source" => {
                let source = find(universe, name)?;
                job.build_requires(universe, source).build_conflicts(universe, source)
            }
            "exclude" => job.exclude(find(universe, name)?),
            "lock" => job.lock(universe, find(universe, name)?),
            "favour" => job.favour(find(universe, name)?, 1),
            _ => job.install(universe, part)?,
        };
    }
    Ok(job)
}

/// The first package of this name or NEVRA.
///
/// # Errors
/// Where there is none.
pub fn find(universe: &Universe, name: &str) -> Result<PackageId, NotationError> {
    let tables = universe.tables();
    tables
        .ids()
        .find(|id| tables.name(*id) == name || tables.nevra(*id) == name)
        .ok_or_else(|| NotationError::Unknown(name.to_owned()))
}

fn add_package(tables: &mut Tables, line: &str) -> Result<(), NotationError> {
    let (nevra, statements) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
    let (name, evr, architecture) = split_nevra(nevra)?;
    let name = tables.strings.intern(name.as_bytes());
    let evr = tables.intern_evr_text(evr.as_bytes());
    let source = tables.strings.intern(b"");
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    if !matches!(architecture, "src" | "nosrc") {
        let itself = Dependency { name, comparison: Comparison::EQUAL, evr };
        lists[Relation::Provides as usize].push(tables.dependencies.intern(itself));
    }
    let mut heading = None;
    for part in parts(statements) {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        let said = match relation(word) {
            Some(relation) => {
                heading = Some(relation);
                rest
            }
            None => part,
        };
        let relation = heading.ok_or_else(|| NotationError::Heading(part.to_owned()))?;
        lists[relation as usize].push(dependency(tables, said)?);
    }
    let architecture = tables.strings.intern(architecture.as_bytes());
    tables.push(Package::new(name, architecture, evr, source), &lists);
    Ok(())
}

fn split_nevra(text: &str) -> Result<(&str, &str, &str), NotationError> {
    if !text.contains('.') && !text.contains(char::is_whitespace) {
        return Ok((text, "1-1", "x86_64"));
    }
    let split = || {
        let (rest, architecture) = text.rsplit_once('.')?;
        let (rest, _) = rest.rsplit_once('-')?;
        let (name, _) = rest.rsplit_once('-')?;
        let evr = &text[name.len() + 1..text.len() - architecture.len() - 1];
        (!text.contains(char::is_whitespace)).then_some((name, evr, architecture))
    };
    split().ok_or_else(|| NotationError::Package(text.to_owned()))
}

fn relation(word: &str) -> Option<Relation> {
    Some(match word {
        "provides" => Relation::Provides,
        "requires" => Relation::Requires,
        "conflicts" => Relation::Conflicts,
        "obsoletes" => Relation::Obsoletes,
        "recommends" => Relation::Recommends,
        "supplements" => Relation::Supplements,
        "suggests" => Relation::Suggests,
        "enhances" => Relation::Enhances,
        _ => return None,
    })
}

/// Parts between commas that stand in no parentheses.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let split = text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    split.map(str::trim).filter(|part| !part.is_empty())
}

/// The number of a dependency, plain or rich.
pub(crate) fn dependency(tables: &mut Tables, text: &str) -> Result<DependencyId, NotationError> {
    let intern = |name: &str, comparison, evr: EvrId, tables: &mut Tables| {
        let name: StringId = tables.strings.intern(name.as_bytes());
        tables.dependencies.intern(Dependency { name, comparison, evr })
    };
    if text.starts_with('(') {
        return Ok(intern(text, Comparison::RICH, EvrId::NONE, tables));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [name] => Ok(intern(name, Comparison::ANY, EvrId::NONE, tables)),
        [name, symbol, version] => {
            let comparison = Comparison::from_symbol(symbol.as_bytes())
                .ok_or_else(|| NotationError::Dependency(text.to_owned()))?;
            let evr = tables.intern_evr_text(version.as_bytes());
            Ok(intern(name, comparison, evr, tables))
        }
        _ => Err(NotationError::Dependency(text.to_owned())),
    }
}
