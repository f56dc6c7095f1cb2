//! Reasons for and against, text in, text out.

use super::{Paths, impossible, why_not};
use crate::solve::{Job, Outcome, Solver};
use crate::tables::PackageId;
use crate::testing;
use crate::universe::Universe;

/// A question over a repository: `R, S | A, B >= 2` is a build group and what is built on top. What stands
/// behind the bar are the requirements of a source, so that they may be rich.
struct Case {
    universe: Universe,
    base: Job,
    job: Job,
}

impl Case {
    fn new(repository: &str, question: &str) -> Self {
        let (group, asked) = question.split_once('|').unwrap_or(("", question));
        let requires = if asked.trim().is_empty() { "" } else { ": requires " };
        let text = format!("{repository}\nthis.src{requires}{}", asked.trim());
        let universe = testing::universe(&text);
        // A group's members that nobody has are passed over, as package managers do.
        let mut base = Job::new();
        for name in group.split(',').map(str::trim).filter(|name| universe.is_provided(name)) {
            base.install(&universe, name).unwrap();
        }
        let job = testing::job(&universe, "build this");
        Self { universe, base, job }
    }

    /// A question in the words of [`testing::job`].
    fn asking(repository: &str, question: &str, excluded: &[&str]) -> Self {
        let universe = testing::universe_without(repository, excluded);
        let job = testing::job(&universe, question);
        Self { universe, base: Job::new(), job }
    }

    fn installed(&self) -> Option<Vec<PackageId>> {
        let mut solver = Solver::new(&self.universe, &self.base);
        let Outcome::Solved(answer) = solver.solve(&self.job) else { return None };
        let installed = solver.base().chain(answer.packages).collect();
        Some(installed)
    }

    fn proof(&self) -> String {
        impossible(&self.universe, &self.base, &self.job)
            .map_or("possible".to_owned(), |proof| proof.text(&self.universe))
    }
}

/// What is installed, each with its distance, the nearest first; or why nothing can be.
fn check_distances(repository: &str, question: &str, expected: &str) {
    let case = Case::new(repository, question);
    let shown = match case.installed() {
        Some(installed) => {
            let paths = Paths::new(&case.universe, &[&case.job], &installed);
            let distance = |id: &PackageId| paths.distance(*id);
            let mut found: Vec<(u32, String)> = installed
                .iter()
                .map(|id| {
                    let shown =
                        distance(id).map_or("-".to_owned(), |distance| distance.to_string());
                    let name = case.universe.tables().name(*id);
                    (distance(id).unwrap_or(u32::MAX), format!("{name}:{shown}"))
                })
                .collect();
            found.sort();
            found.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ")
        }
        None => case.proof(),
    };
    assert_eq!(shown, expected, "{question}");
}

/// Rows of a file: a question, `=>`, and what is expected, further lines of it being indented.
#[test]
fn has_koscheis_distances_and_better_sentences() {
    let text = include_str!("../../tests/koschei.txt");
    let (repository, rows) = text.split_once("\n---\n").unwrap();
    for row in rows.split("\n\n").map(str::trim).filter(|row| !row.is_empty()) {
        let (question, expected) = row.split_once("\n=> ").unwrap();
        check_distances(repository, question, expected);
    }
}

fn check_proof(repository: &str, question: &str, expected: &str) {
    let case = Case::asking(repository, question, &[]);
    let expected: Vec<&str> = expected.trim().lines().map(str::trim_start).collect();
    let proof = case.proof();
    let shown: Vec<&str> = proof.lines().map(str::trim_start).collect();
    assert_eq!(shown, expected, "{question}");
}

const LIBRARIES: &str = "
    zlib 1.3-1: provides libz.so.1
    zlib-ng 2.1-1: provides libz.so.1; conflicts zlib
    png: requires zlib >= 1.3
    fast: requires zlib-ng
    new: requires zlib >= 2
    user: requires new
    old
    young 2-1: obsoletes old < 2
    tool 1-1
    tool 2-1
    both: requires tool = 1, tool = 2
    other.aarch64
    wide 1-1
    wide 1-1.i686
    wide 2-1.i686
    lonely: requires (zlib unless png), png
";

#[test]
fn says_why_nothing_can_be_installed() {
    let check = |question: &str, expected: &str| check_proof(LIBRARIES, question, expected);
    check("install png", "possible");
    check(
        "install zlib >= 2",
        "nothing provides zlib >= 2, which is asked for; zlib = 1.3-1 of zlib-1.3-1.x86_64 is there",
    );
    check("package other", "package other-1-1.aarch64 does not have a compatible architecture");
    check(
        "install user",
        "conflicting requests
         - user is asked for, which only user-1-1.x86_64 provides
         - package user-1-1.x86_64 requires new, which only new-1-1.x86_64 provides
         - nothing provides zlib >= 2 needed by new-1-1.x86_64; zlib = 1.3-1 of zlib-1.3-1.x86_64 is there",
    );
    check(
        "install png, fast",
        "conflicting requests
         - png is asked for, which only png-1-1.x86_64 provides
         - fast is asked for, which only fast-1-1.x86_64 provides
         - package png-1-1.x86_64 requires zlib >= 1.3, which only zlib-1.3-1.x86_64 provides
         - package fast-1-1.x86_64 requires zlib-ng, which only zlib-ng-2.1-1.x86_64 provides
         - package zlib-ng-2.1-1.x86_64 conflicts with zlib provided by zlib-1.3-1.x86_64",
    );
    check(
        "install old, young",
        "conflicting requests
         - old is asked for, which only old-1-1.x86_64 provides
         - young is asked for, which only young-2-1.x86_64 provides
         - package young-2-1.x86_64 obsoletes old < 2 provided by old-1-1.x86_64",
    );
    check(
        "install both",
        "conflicting requests
         - both is asked for, which only both-1-1.x86_64 provides
         - package both-1-1.x86_64 requires tool = 1, which only tool-1-1.x86_64 provides
         - package both-1-1.x86_64 requires tool = 2, which only tool-2-1.x86_64 provides
         - cannot install both tool-1-1.x86_64 and tool-2-1.x86_64",
    );
}

#[test]
fn says_what_the_question_itself_rules_out() {
    let check = |question: &str, expected: &str| check_proof(LIBRARIES, question, expected);
    check(
        "exclude zlib-1; install png",
        "conflicting requests
         - png is asked for, which only png-1-1.x86_64 provides
         - package png-1-1.x86_64 requires zlib >= 1.3, which only zlib-1.3-1.x86_64 provides
         - package zlib-1.3-1.x86_64 is filtered out by exclude filtering",
    );
    check(
        "lock tool-2; install tool = 1",
        "conflicting requests
         - tool = 1 is asked for, which only tool-1-1.x86_64 provides
         - package tool-1-1.x86_64 is not allowed, tool-2-1.x86_64 being locked",
    );
    check(
        "install wide >= 2",
        "conflicting requests
         - wide >= 2 is asked for, which only wide-2-1.i686 provides
         - package wide-2-1.i686 has an inferior architecture",
    );
    check(
        "install lonely",
        "conflicting requests
         - lonely is asked for, which only lonely-1-1.x86_64 provides
         - package lonely-1-1.x86_64 requires (zlib unless png), which only zlib-1.3-1.x86_64 provides
         - package lonely-1-1.x86_64 requires png, which only png-1-1.x86_64 provides",
    );
}

#[test]
fn says_what_is_excluded_for_every_question() {
    let case = Case::asking(LIBRARIES, "install png", &["zlib"]);
    assert_eq!(
        case.proof(),
        "conflicting requests\n \
         - png is asked for, which only png-1-1.x86_64 provides\n \
         - nothing provides zlib >= 1.3 needed by png-1-1.x86_64; \
         zlib-1.3-1.x86_64 is filtered out by exclude filtering"
    );
}

/// The chain to a package, or why it is not there.
fn check_why(repository: &str, question: &str, package: &str, expected: &str) {
    let case = Case::asking(repository, question, &[]);
    let package = testing::package(&case.universe, package);
    let installed = case.installed().unwrap();
    let jobs = [&case.base, &case.job];
    let sentences = match Paths::new(&case.universe, &jobs, &installed).chain(package) {
        Some(chain) => chain.sentences(&case.universe),
        None => {
            why_not(&case.universe, jobs, &installed, package).sentences(&case.universe, package)
        }
    };
    let expected: Vec<&str> = expected.trim().lines().map(str::trim_start).collect();
    assert_eq!(sentences, expected, "{package:?} of {question}");
}

#[test]
fn says_why_a_package_is_there() {
    let repository = "
        app: requires (lib >= 1 or other), base
        lib 2-1: requires base, deep
        base: requires (extra if app)
        extra
        deep
        other
    ";
    check_why(repository, "install app", "app", "app is asked for, which app-1-1.x86_64 provides");
    check_why(
        repository,
        "install app",
        "deep",
        "app is asked for, which app-1-1.x86_64 provides
         app-1-1.x86_64 requires (lib >= 1 or other), which lib-2-1.x86_64 provides
         lib-2-1.x86_64 requires deep, which deep-1-1.x86_64 provides",
    );
    check_why(
        repository,
        "install app",
        "extra",
        "app is asked for, which app-1-1.x86_64 provides
         app-1-1.x86_64 requires base, which base-1-1.x86_64 provides
         base-1-1.x86_64 requires (extra if app), which extra-1-1.x86_64 provides",
    );
}

#[test]
fn says_why_a_package_is_not_there() {
    let repository = "
        app: requires editor; conflicts foe
        editor-a: provides editor
        editor-b: provides editor
        foe
        lib 1-1
        lib 2-1
        dead: requires nowhere
        stranger
        foreign.aarch64
    ";
    let check = |question: &str, package: &str, expected: &str| {
        check_why(repository, question, package, expected);
    };
    check(
        "install app",
        "editor-b",
        "package app-1-1.x86_64 requires editor; of its providers editor-a-1-1.x86_64 is before \
         editor-b-1-1.x86_64: it comes first by name",
    );
    check(
        "install app, editor-b",
        "editor-a",
        "package app-1-1.x86_64 requires editor, which editor-b-1-1.x86_64 provides; that one is there anyway",
    );
    check(
        "install lib",
        "lib-1-1.x86_64",
        "lib is asked for; of its providers lib-2-1.x86_64 is before lib-1-1.x86_64: it is newer",
    );
    check(
        "install app",
        "foe",
        "package app-1-1.x86_64 conflicts with foe provided by foe-1-1.x86_64",
    );
    check("install app", "stranger", "nothing installed needs stranger-1-1.x86_64");
    check(
        "install app",
        "foreign",
        "package foreign-1-1.aarch64 does not have a compatible architecture",
    );
    check(
        "install app",
        "dead",
        "dead-1-1.x86_64 is asked for
         nothing provides nowhere needed by dead-1-1.x86_64",
    );
}

/// What a stand-in requires is told as what was asked.
#[test]
fn stand_ins_are_not_spoken_of() {
    let universe = testing::universe(
        "wish.src: requires (tool or gone), (extra if tool)
         other.src: requires (gone or lost)
         tool: requires lib
         lib
         extra",
    );
    let stand_in = |name| testing::package(&universe, name);
    let mut job = Job::new();
    job.requirements(&universe, stand_in("wish"));
    let Outcome::Solved(answer) = Solver::new(&universe, &Job::new()).solve(&job) else {
        panic!("it can be installed")
    };
    let paths = Paths::new(&universe, &[&job], &answer.packages);
    let said = |name| paths.chain(stand_in(name)).unwrap().sentences(&universe).join("; ");
    assert_eq!(
        said("lib"),
        "(tool or gone) is asked for, which tool-1-1.x86_64 provides; \
         tool-1-1.x86_64 requires lib, which lib-1-1.x86_64 provides"
    );
    assert_eq!(said("extra"), "(extra if tool) is asked for, which extra-1-1.x86_64 provides");
    job.clear();
    job.requirements(&universe, stand_in("other"));
    let proof = impossible(&universe, &Job::new(), &job).unwrap();
    assert_eq!(proof.text(&universe), "nothing provides (gone or lost), which is asked for");
}
