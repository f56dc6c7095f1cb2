//! The solver's answers for whole distributions: held against the independent checker, and against libsolv's.
//!
//! Of Debian's 41,593 sources a sample is solved, unless `MILLSTREAM_ALL_ANSWERS` is set; then it is time for
//! a build with optimisation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "checker/check.rs"]
mod check;
#[path = "checker/data.rs"]
mod data;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use solver::batch::solve_all;
use solver::load::compressed;
use solver::load::repository::Repository;
use solver::load::{Limits, Source, filelists, load_primaries};
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};

use check::{Questions, check_answers, read_filelists, read_primary};

/// One of so many is in the sample.
const SAMPLE: usize = 20;

/// Metadata of a distribution as text, and what libsolv answers.
struct Distribution {
    primaries: Vec<String>,
    filelists: Vec<String>,
    /// Names or capabilities that are in every answer.
    group: Vec<String>,
    /// What is asked for by name; empty where it is the sources.
    names: Vec<String>,
    /// By name: for each package of it the packages that are installed, sorted; none where there is no answer.
    libsolv: HashMap<String, Vec<Option<Vec<String>>>>,
}

impl Distribution {
    fn read(folder: &Path, prefix: &str, primaries: &[&str], filelists: &[&str]) -> Self {
        let metadata = |name: &&str, kind: &str| {
            let repository = Repository::open(&folder.join(name)).unwrap();
            String::from_utf8(repository.file(kind).unwrap().unwrap()).unwrap()
        };
        let text = |name: &str| {
            let path = folder.join(format!("{prefix}-{name}"));
            String::from_utf8(compressed::read(&path, 1 << 30).unwrap()).unwrap()
        };
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        let has_names = folder.join(format!("{prefix}-sample.txt")).exists();
        Self {
            primaries: primaries.iter().map(|name| metadata(name, "primary")).collect(),
            filelists: filelists.iter().map(|name| metadata(name, "filelists")).collect(),
            group: lines(text("build-group.txt")),
            names: if has_names { lines(text("sample.txt")) } else { Vec::new() },
            libsolv: by_name(&text("libsolv-answers.tsv.zst")),
        }
    }

    fn universe(&self) -> Universe {
        let sources: Vec<Source<'_>> = self
            .primaries
            .iter()
            .map(|text| Source { name: "repository", bytes: text.as_bytes(), priority: 0 })
            .collect();
        let mut tables = load_primaries(&sources, Limits::default(), 2).unwrap();
        for text in &self.filelists {
            let limits = Limits::default();
            filelists::add_wanted_files(&mut tables, "filelists", text.as_bytes(), limits).unwrap();
        }
        Universe::new(tables, &Options::default()).unwrap()
    }

    /// Solves one question of so many, and gives the answers in the form libsolv's have.
    fn solve(&self, universe: &Universe, every: usize) -> String {
        let mut base = Job::new();
        for request in self.group.iter().filter(|request| universe.is_provided(request)) {
            base.install(universe, request).unwrap();
        }
        let named =
            |id: &PackageId| self.names.iter().any(|name| name == universe.tables().name(*id));
        let questions: Vec<PackageId> = match self.names.is_empty() {
            true => universe.sources().step_by(every).collect(),
            false => universe.installable().filter(named).step_by(every).collect(),
        };
        let outcomes = solve_all(universe, &base, questions.len(), 2, |at, job| {
            match self.names.is_empty() {
                true => job.build_requires(universe, questions[at]),
                false => job.package(questions[at]),
            };
        });
        let base: Vec<PackageId> = Solver::new(universe, &base).base().collect();
        let rows = questions.iter().zip(outcomes);
        rows.map(|(question, outcome)| row(universe, &base, *question, &outcome)).collect()
    }

    /// What the independent checker finds wrong.
    fn violations(&self, answers: &str) -> Vec<String> {
        let (binaries, sources) = match self.names.is_empty() {
            true => self.primaries.split_at(1),
            false => self.primaries.split_at(self.primaries.len()),
        };
        let packages =
            |texts: &[String]| texts.iter().flat_map(|it| read_primary(it)).collect::<Vec<_>>();
        let files: Vec<_> = self.filelists.iter().flat_map(|text| read_filelists(text)).collect();
        let universe = check::Universe::new(&packages(binaries), &files, &packages(sources));
        let group: Vec<&str> = self.group.iter().map(String::as_str).collect();
        let of_sources = self.names.is_empty();
        let questions = Questions { build_group: &group, of_sources, sorted: true };
        check_answers(&universe, &questions, answers)
    }

    /// How many answers there are, how many sets among them, and how many of those are not libsolv's. That
    /// one has an answer and the other none is an error.
    fn compare(&self, answers: &str) -> (usize, usize, Vec<String>) {
        let (mut sets, mut different) = (0, Vec::new());
        for (name, found) in by_name(answers) {
            let expected = &self.libsolv[&name];
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found.is_some(), expected.is_some(), "{name}: not libsolv's verdict");
                sets += usize::from(found.is_some());
                different.extend((found != expected).then(|| name.clone()));
            }
        }
        (answers.lines().count(), sets, different)
    }
}

/// Packages of one name stand in the order of the repositories.
fn by_name(answers: &str) -> HashMap<String, Vec<Option<Vec<String>>>> {
    let mut all: HashMap<String, Vec<Option<Vec<String>>>> = HashMap::new();
    for (name, packages) in answers.lines().map(answer) {
        all.entry(name).or_default().push(packages);
    }
    all
}

/// `name`, number of packages, perhaps a time, packages.
fn answer(line: &str) -> (String, Option<Vec<String>>) {
    let mut fields = line.split('\t');
    let name = fields.next().unwrap_or_default().to_owned();
    let count: i64 = fields.next().unwrap_or_default().parse().unwrap();
    let mut packages: Vec<String> =
        fields.filter(|field| field.contains('-')).map(str::to_owned).collect();
    packages.sort_unstable();
    (name, (count >= 0).then_some(packages))
}

fn row(universe: &Universe, base: &[PackageId], question: PackageId, outcome: &Outcome) -> String {
    let tables = universe.tables();
    let name = tables.name(question);
    match outcome {
        Outcome::Solved(answer) => {
            let all = base.iter().chain(&answer.packages);
            let mut nevras: Vec<String> = all.map(|id| tables.nevra(*id)).collect();
            nevras.sort_unstable();
            format!("{name}\t{}\t{}\n", nevras.len(), nevras.join("\t"))
        }
        Outcome::Unsatisfiable(_) => format!("{name}\t-1\n"),
    }
}

/// Everything where it is asked for, and otherwise a sample, with a line that says so.
#[expect(clippy::disallowed_methods, reason = "how long tests may take is a matter of the machine")]
fn every(test: &str) -> usize {
    if std::env::var_os("MILLSTREAM_ALL_ANSWERS").is_some() {
        return 1;
    }
    let why = "MILLSTREAM_ALL_ANSWERS is not set";
    let line = format!("{test} looks at one answer in {SAMPLE}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    SAMPLE
}

#[test]
fn debian_is_solved_as_libsolv_does() {
    let test = "debian_is_solved_as_libsolv_does";
    let Some(folder) = data::find(test) else { return };
    let debian = Distribution::read(&folder, "sid", &["sid-binary", "sid-source"], &[]);
    let every = every(test);
    let answers = debian.solve(&debian.universe(), every);
    let violations = debian.violations(&answers);
    assert!(violations.is_empty(), "{}: {:#?}", violations.len(), &violations[..1]);
    let (count, sets, different) = debian.compare(&answers);
    assert_eq!(count, 41_593usize.div_ceil(every));
    assert!(different.len() * 200 <= sets, "of {sets} sets these differ: {different:#?}");
}

#[test]
fn centos_stream_is_solved_as_libsolv_does() {
    let Some(folder) = data::find("centos_stream_is_solved_as_libsolv_does") else { return };
    let repositories = ["cs9-appstream", "cs9-baseos"];
    let centos = Distribution::read(&folder, "cs9", &repositories, &["cs9-baseos"]);
    let answers = centos.solve(&centos.universe(), 1);
    let violations = centos.violations(&answers);
    assert!(violations.is_empty(), "{}: {:#?}", violations.len(), &violations[..1]);
    let (count, sets, different) = centos.compare(&answers);
    assert_eq!((count, sets), (1_327, 876));
    assert!(different.len() * 200 <= sets, "of {sets} sets these differ: {different:#?}");
}
