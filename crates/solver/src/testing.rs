//! Repositories and questions in a few words, for tests: text in, text out.
//!
//! A line is a package: `name [version-release][.architecture]: heading dependency, dependency; heading …`.
//! What is left out is `1-1.x86_64`; a source has the architecture `src`. `repository NAME PRIORITY [COST]` ends
//! a repository.

use crate::solve::{Job, Outcome, Solver};
use crate::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, StringId, Tables,
};
use crate::universe::{Options, Universe};

const ARCHITECTURES: &[&str] = &["x86_64", "i686", "noarch", "src", "aarch64"];

/// Tables of the packages of a text.
///
/// # Panics
/// Where the text is not in the notation.
#[must_use]
pub fn tables(text: &str) -> Tables {
    let mut tables = Tables::new();
    let mut since = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(words) = line.strip_prefix("repository ") {
            let mut words = words.split(' ');
            let (name, priority) = (words.next(), words.next());
            let priority = priority.expect("name and priority").parse().expect("a priority");
            let count = tables.len() as u32 - since;
            tables.close_repository(name.expect("a name"), priority, count);
            if let Some(cost) = words.next() {
                let last = tables.repositories().len() - 1;
                tables.set_cost(last, cost.parse().expect("a cost"));
            }
            since = tables.len() as u32;
        } else {
            push_package(&mut tables, line);
        }
    }
    tables
}

fn push_package(tables: &mut Tables, line: &str) {
    // An epoch's colon has no space behind it.
    let (identity, relations) = line.split_once(": ").unwrap_or((line, ""));
    let identity = identity.trim_end_matches(':');
    let (identity, architecture) = match identity.rsplit_once('.') {
        Some((rest, last)) if ARCHITECTURES.contains(&last) => (rest, last),
        _ => (identity, "x86_64"),
    };
    let (name, evr) = identity.split_once(' ').unwrap_or((identity, "1-1"));
    let evr = tables.intern_evr_text(evr.as_bytes());
    let name_id = tables.strings.intern(name.as_bytes());
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    for part in relations.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (heading, dependencies) = part.split_once(' ').expect("heading and dependencies");
        let relation = relation(heading);
        let dependencies = dependencies.split(", ").map(|text| dependency(tables, text.trim()));
        lists[relation as usize].extend(dependencies);
    }
    if architecture != "src" {
        let itself = Dependency { name: name_id, comparison: Comparison::EQUAL, evr };
        lists[Relation::Provides as usize].push(tables.dependencies.intern(itself));
    }
    let architecture = tables.strings.intern(architecture.as_bytes());
    tables.push(Package::new(name_id, architecture, evr, StringId::EMPTY), &lists);
}

fn relation(heading: &str) -> Relation {
    match heading {
        "provides" => Relation::Provides,
        "requires" => Relation::Requires,
        "conflicts" => Relation::Conflicts,
        "obsoletes" => Relation::Obsoletes,
        "recommends" => Relation::Recommends,
        "supplements" => Relation::Supplements,
        "suggests" => Relation::Suggests,
        "enhances" => Relation::Enhances,
        other => panic!("no heading: {other}"),
    }
}

pub(crate) fn dependency(tables: &mut Tables, text: &str) -> DependencyId {
    let words: Vec<&str> = text.split(' ').collect();
    let dependency = match words[..] {
        [name, symbol, version] if !text.starts_with('(') => Dependency {
            name: tables.strings.intern(name.as_bytes()),
            comparison: Comparison::from_symbol(symbol.as_bytes()).expect("a comparison"),
            evr: tables.intern_evr_text(version.as_bytes()),
        },
        _ => Dependency {
            name: tables.strings.intern(text.as_bytes()),
            comparison: if text.starts_with('(') { Comparison::RICH } else { Comparison::ANY },
            evr: EvrId::NONE,
        },
    };
    tables.dependencies.intern(dependency)
}

/// A universe of the packages of a text, for x86_64.
///
/// # Panics
/// Where the text is not in the notation, or a rich dependency is none.
#[must_use]
pub fn universe(text: &str) -> Universe {
    universe_without(text, &[])
}

/// The same with packages of these names excluded.
///
/// # Panics
/// As [`universe`] does.
#[must_use]
pub fn universe_without(text: &str, excluded: &[&str]) -> Universe {
    let tables = tables(text);
    let excluded = tables.ids().filter(|id| excluded.contains(&tables.name(*id))).collect();
    let options = Options { excluded, ..Options::default() };
    Universe::new(tables, &options).expect("rich dependencies that can be read")
}

/// The package whose NEVRA begins with a text.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn package(universe: &Universe, nevra: &str) -> PackageId {
    let tables = universe.tables();
    tables.ids().find(|id| tables.nevra(*id).starts_with(nevra)).expect("a package of this name")
}

/// A question: parts separated by `;`. Most are `VERB NEVRA…`: `package`, `build` (a source), `exclude`,
/// `lock`, `favour`, `avoid`. `install REQUEST, REQUEST` asks by capability; `weak` alone turns weak
/// dependencies on.
///
/// # Panics
/// Where the text is not in the notation.
#[must_use]
pub fn job(universe: &Universe, text: &str) -> Job {
    let mut job = Job::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (verb, rest) = part.split_once(' ').unwrap_or((part, ""));
        if verb == "install" {
            for request in rest.split(", ") {
                job.install(universe, request).expect("a request");
            }
            continue;
        }
        if verb == "weak" {
            job.with_weak(true);
        }
        for id in rest.split_whitespace().map(|nevra| package(universe, nevra)) {
            match verb {
                "package" => job.package(id),
                "build" => job.build_requires(universe, id).build_conflicts(universe, id),
                "exclude" => job.exclude(id),
                "lock" => job.lock(universe, id),
                "favour" => job.favour(id, 1),
                "avoid" => job.favour(id, -1),
                other => panic!("no verb: {other}"),
            };
        }
    }
    job
}

/// What a solver says to a question: NEVRAs separated by spaces, `-1.x86_64` and `-1` left out, or what went
/// wrong.
#[must_use]
pub fn answer(universe: &Universe, solver: &mut Solver<'_>, question: &str) -> String {
    match solver.solve(&job(universe, question)) {
        Outcome::Solved(answer) => {
            let names = answer.packages.iter().map(|id| universe.tables().nevra(*id));
            let names = names.map(|nevra| nevra.replace("-1-1.x86_64", "").replace(".x86_64", ""));
            let mut names: Vec<String> = names.collect();
            names.sort_unstable();
            names.join(" ")
        }
        Outcome::Unsatisfiable(_) => "unsatisfiable".to_owned(),
    }
}
