//! libsolv's test cases of fresh installs, with the answers that libsolv gives itself.
//!
//! The cases are in `fixtures/cases`; each says how its answers were come by.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use solver::load::compressed;
use solver::load::record::Relation as Asked;
use solver::load::testcase::{Content, Job as Line, Run, Selection, TestCase};
use solver::load::testtags::{TestRepository, parse_testtags};
use solver::solve::{Job, Outcome, Solver};
use solver::tables::{Comparison, Dependency, PackageId, Relation, Tables};
use solver::universe::{Options, Universe};

/// Runs whose answer is another one here: a package of an inferior architecture is let in only beside one of the same
/// version, also where the question could not reach a better one.
const DIFFERENT: [&str; 1] = ["multilib.t, run 5"];

/// Why a run cannot be made here: what it needs that is no fresh install.
type Unsupported = String;

/// The repositories of a case as tables.
fn tables(case: &TestCase, folder: &Path, installed: Option<&str>) -> Result<Tables, Unsupported> {
    let mut tables = Tables::new();
    for repository in &case.repositories {
        let content = match &repository.content {
            Content::Empty => TestRepository::default(),
            Content::Inline(content) => content.clone(),
            Content::File { format, name } if format == "testtags" => {
                let bytes =
                    compressed::read(&folder.join(name), 1 << 30).map_err(|e| e.to_string())?;
                parse_testtags(&bytes).map_err(|why| why.to_string())?
            }
            Content::File { format, .. } => return Err(format!("format {format}")),
        };
        if let Some(what) = content.unsupported.first() {
            return Err(what.to_string());
        }
        if installed == Some(repository.name.as_str()) && !content.packages.is_empty() {
            return Err("something is installed".to_owned());
        }
        content.enter(&mut tables, &repository.name, repository.priority.0);
    }
    Ok(tables)
}

fn universe(case: &TestCase, run: &Run, folder: &Path) -> Result<Universe, Unsupported> {
    let machine = run.system.arch.as_deref().filter(|arch| !arch.starts_with(':'));
    let machine = machine.ok_or("architectures that are not one machine's")?;
    let installed = run.system.installed.as_deref();
    let tables = tables(case, folder, installed)?;
    let mut excluded = Vec::new();
    for selection in &run.disabled {
        excluded.extend(select(&tables, selection, &|_| true)?);
    }
    let options = Options { architecture: machine.to_owned(), excluded };
    Universe::new(tables, &options).map_err(|why| why.to_string())
}

/// The packages a selection means, of those that can be installed.
fn select(
    tables: &Tables,
    selection: &Selection,
    is_there: &dyn Fn(PackageId) -> bool,
) -> Result<Vec<PackageId>, Unsupported> {
    let all = || tables.ids().filter(|&id| is_there(id));
    Ok(match selection {
        Selection::Package(name) => all().filter(|&id| label(tables, id) == *name).collect(),
        Selection::OneOf(names) => all().filter(|&id| names.contains(&label(tables, id))).collect(),
        Selection::Name(asked) => all()
            .filter(|&id| tables.name(id) == asked.name && provides(tables, id, asked))
            .collect(),
        Selection::Provides(asked) => all().filter(|&id| provides(tables, id, asked)).collect(),
        other => return Err(format!("selection {other:?}")),
    })
}

/// `name-[epoch:]version-release.arch@repository`
fn label(tables: &Tables, id: PackageId) -> String {
    let repository = tables.repository_of(id).map_or("", |repository| &repository.name);
    format!("{}@{repository}", tables.nevra(id))
}

fn provides(tables: &Tables, id: PackageId, asked: &Asked) -> bool {
    let mut scratch = tables.clone();
    let (comparison, evr) = match &asked.bound {
        Some(bound) => (bound.comparison.as_str(), bound.evr.as_str()),
        None => ("", ""),
    };
    let asked = Dependency {
        name: scratch.strings.intern(asked.name.as_bytes()),
        comparison: Comparison::from_symbol(comparison.as_bytes()).unwrap_or(Comparison::ANY),
        evr: scratch.intern_evr_text(evr.as_bytes()),
    };
    let mut provided = scratch.relations(id, Relation::Provides).iter();
    provided.any(|&it| {
        let it = scratch.dependencies.get(it);
        it.name == asked.name && scratch.satisfies(it, asked)
    })
}

fn job(universe: &Universe, run: &Run) -> Result<Job, Unsupported> {
    let mut job = Job::new();
    // libsolv installs what is recommended unless it is told not to.
    job.with_weak(!run.solver_flags.iter().any(|flag| flag == "ignorerecommended"));
    if let Some(flag) = run.solver_flags.iter().find(|flag| *flag != "ignorerecommended") {
        return Err(format!("flag {flag}"));
    }
    for (line, weight) in run.jobs.iter().zip(1..) {
        add(universe, &mut job, line, weight)?;
    }
    Ok(job)
}

fn add(universe: &Universe, job: &mut Job, line: &Line, weight: i32) -> Result<(), Unsupported> {
    if let Some(flag) = line.flags.first() {
        return Err(format!("flag {flag}"));
    }
    let can_be = |id| universe.installable().any(|other| other == id);
    let packages = select(universe.tables(), &line.selection, &can_be)?;
    match (line.action.as_str(), &line.selection, packages.as_slice()) {
        ("install", Selection::Package(_), [package]) => {
            job.package(*package);
        }
        ("install", _, packages) => {
            job.one_of(universe, packages);
        }
        (action, _, packages) => {
            packages.iter().try_for_each(|package| prefer(job, action, *package, weight))?;
        }
    }
    Ok(())
}

fn prefer(job: &mut Job, action: &str, package: PackageId, weight: i32) -> Result<(), Unsupported> {
    match action {
        // What is not installed and is locked stays so.
        "lock" => job.exclude(package),
        // The later line weighs more.
        "favor" => job.favour(package, weight),
        "disfavor" => job.favour(package, -weight),
        action => return Err(format!("action {action}")),
    };
    Ok(())
}

/// What is installed, a line each as libsolv writes them, or that it cannot be.
fn answer(case: &TestCase, run: &Run, folder: &Path) -> Result<Vec<String>, Unsupported> {
    let universe = universe(case, run, folder)?;
    let job = job(&universe, run)?;
    let mut lines: Vec<String> = match Solver::new(&universe, &Job::new()).solve(&job) {
        Outcome::Solved(answer) => {
            answer.packages.iter().map(|id| label(universe.tables(), *id)).collect()
        }
        Outcome::Unsatisfiable(_) => vec!["problem".to_owned()],
    };
    lines.sort_unstable();
    Ok(lines)
}

fn expected(run: &Run) -> Result<Vec<String>, Unsupported> {
    let expected = run.expected.as_ref().ok_or("nothing is expected")?;
    if !matches!(expected.lines, Content::Inline(_)) {
        return Err("what is expected is in a file".to_owned());
    }
    let mut lines: Vec<String> = match expected.has_problems() {
        true => vec!["problem".to_owned()],
        false => expected.installed().into_iter().map(str::to_owned).collect(),
    };
    lines.sort_unstable();
    Ok(lines)
}

/// How the runs of a case went: how many there are, and what is different.
#[derive(Default)]
struct Report {
    same: usize,
    different: Vec<String>,
    unsupported: Vec<String>,
}

impl Report {
    fn run(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let case = match TestCase::parse(&std::fs::read(path).unwrap()) {
            Ok(case) if case.unsupported.is_empty() => case,
            Ok(case) => return self.unsupported.push(format!("{name}: {}", case.unsupported[0])),
            Err(why) => return self.unsupported.push(format!("{name}: {why}")),
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        for (at, run) in case.runs.iter().enumerate() {
            let both =
                expected(run).and_then(|expected| Ok((expected, answer(&case, run, folder)?)));
            let place = format!("{name}, run {}", at + 1);
            match both {
                Ok((expected, found)) if expected == found => self.same += 1,
                Ok((expected, found)) => {
                    self.different.push(format!("{place}: libsolv {expected:?}, here {found:?}"));
                }
                Err(why) => self.unsupported.push(format!("{place}: {why}")),
            }
        }
    }
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "t")).collect();
    cases.sort_unstable();
    cases
}

#[test]
fn answers_are_libsolv_s() {
    let mut report = Report::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    cases(&folder).iter().for_each(|path| report.run(path));
    assert!(report.unsupported.is_empty(), "{:#?}", report.unsupported);
    let is_known = |line: &String| DIFFERENT.iter().any(|known| line.starts_with(known));
    let new: Vec<&String> = report.different.iter().filter(|line| !is_known(line)).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert_eq!((report.same, report.different.len()), (104, DIFFERENT.len()));
}
