//! The independent checker, checked itself: on small sets that are right and wrong, and on libsolv's answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "checker/check.rs"]
mod check;
#[path = "checker/data.rs"]
mod data;

use std::path::PathBuf;

use solver::load::compressed;
use solver::load::repository::Repository;

use check::{Questions, Universe, check_answers, read_filelists, read_primary};

/// Packages as `name[=version] [relation capability]…`, a line each; provides of the own name are made.
fn universe(text: &str) -> Universe {
    let (sources, binaries): (Vec<&str>, Vec<&str>) = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with("source "));
    let primary = |lines: &[&str]| {
        let packages: String = lines.iter().map(|line| package(line)).collect();
        read_primary(&format!("<metadata>{packages}</metadata>"))
    };
    let sources: Vec<&str> = sources.iter().map(|line| &line["source ".len()..]).collect();
    Universe::new(&primary(&binaries), &[], &primary(&sources))
}

fn package(line: &str) -> String {
    let mut parts = line.split(" : ");
    let mut words = parts.next().unwrap().split(' ');
    let name = words.next().unwrap();
    let (name, version) = name.split_once('=').unwrap_or((name, "1"));
    let arch = words.next().unwrap_or("x86_64");
    let mut sections = vec![("provides", format!("{name} = 0:{version}-1"))];
    sections.extend(parts.map(|part| {
        let (section, capability) = part.split_once(' ').unwrap();
        (section, capability.to_owned())
    }));
    let sections: String = sections.iter().map(|(section, it)| relation(section, it)).collect();
    format!(
        "<package><name>{name}</name><arch>{arch}</arch><version epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\
         {sections}</package>"
    )
}

fn relation(section: &str, capability: &str) -> String {
    if section == "file" {
        return format!("<file>{capability}</file>");
    }
    let fields: Vec<&str> = capability.split(' ').collect();
    let entry = match fields[..] {
        [name, operator, evr] if !name.starts_with('(') => {
            let flags = match operator {
                "<" => "LT",
                "<=" => "LE",
                "=" => "EQ",
                ">=" => "GE",
                _ => "GT",
            };
            let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
            let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
            let release =
                if release.is_empty() { String::new() } else { format!(" rel=\"{release}\"") };
            format!(
                "name=\"{name}\" flags=\"{flags}\" epoch=\"{epoch}\" ver=\"{version}\"{release}"
            )
        }
        _ => format!("name=\"{}\"", capability.replace('<', "&lt;")),
    };
    format!("<rpm:{section}><rpm:entry {entry}/></rpm:{section}>")
}

/// Whether an answer, packages without `-1.x86_64` behind them, is one to the first of them.
fn check(packages: &str, answer: &str, expected: &[&str]) {
    let universe = universe(packages);
    let nevras: Vec<String> = answer.split(' ').map(nevra).collect();
    let first = answer.split([' ', '-']).next().unwrap();
    let row = format!("{first}\t{}\t{}", nevras.len(), nevras.join("\t"));
    let questions = Questions { build_group: &[], of_sources: false, sorted: false };
    assert_eq!(check_answers(&universe, &questions, &row), expected, "{answer}");
}

/// `a` is `a-1-1.x86_64`, `a-2` is `a-2-1.x86_64`, and what has a dot stands for itself.
fn nevra(short: &str) -> String {
    match (short.contains('.'), short.contains('-')) {
        (true, _) => short.to_owned(),
        (false, true) => format!("{short}-1.x86_64"),
        (false, false) => format!("{short}-1-1.x86_64"),
    }
}

#[test]
fn requirements_hold() {
    let packages = "a : requires b >= 2 : requires /bin/sh\nb\nb=2\nsh : file /bin/sh";
    check(packages, "a b-2 sh", &[]);
    check(
        packages,
        "a b sh",
        &["a (row 1): a-1-1.x86_64 requires b >= 0:2, which nothing provides"],
    );
    check(packages, "a b-2", &["a (row 1): a-1-1.x86_64 requires /bin/sh, which nothing provides"]);
    check(packages, "a sh", &["a (row 1): a-1-1.x86_64 requires b >= 0:2, which nothing provides"]);
}

#[test]
fn a_version_without_release_stands_for_all() {
    let packages = "a : requires c = 1 : requires d > 1\nc : provides d\nc=2 : provides d = 1-3";
    check(packages, "a c", &[]);
    let unmet = ["a (row 1): a-1-1.x86_64 requires c = 0:1, which nothing provides"];
    check(
        packages,
        "a c-2",
        &[unmet[0], "a (row 1): a-1-1.x86_64 requires d > 0:1, which nothing provides"],
    );
}

#[test]
fn conflicts_and_obsoletes_are_kept() {
    let packages = "a : conflicts x < 2 : conflicts a\nb : provides x = 1\nc : provides x = 2\nd : obsoletes b < 2";
    check(packages, "a c", &[]);
    check(packages, "a b", &["a (row 1): a-1-1.x86_64 conflicts with x < 0:2, which is there"]);
    check(packages, "d c", &[]);
    check(packages, "d b", &["d (row 1): d-1-1.x86_64 obsoletes b < 0:2, which is b-1-1.x86_64"]);
    // Obsoletes see names only.
    check("a : obsoletes x\nb : provides x", "a b", &[]);
}

#[test]
fn names_stand_once_for_each_word_size() {
    let packages = "a\na=2\na i686\nn noarch\nn=2\nk : provides installonlypkg(kernel)\nk=2 : provides installonlypkg(kernel)";
    check(packages, "a a-1-1.i686", &[]);
    check(packages, "a a-2", &["a (row 1): a-1-1.x86_64 and a-2-1.x86_64 have one name"]);
    check(
        packages,
        "n-1-1.noarch n-2",
        &["n (row 1): n-1-1.noarch and n-2-1.x86_64 have one name"],
    );
    check(packages, "k k-2", &[]);
    check(packages, "a a", &["a (row 1): a-1-1.x86_64 stands twice"]);
    check(packages, "a z", &["a (row 1): there is no z-1-1.x86_64"]);
}

/// Whether packages fulfil a rich dependency of the package that stands before them.
fn rich(dependency: &str, kind: &str, answer: &str, is_valid: bool) {
    let packages = format!("a : {kind} {dependency}\nb\nb=2\nc\nd : provides c : provides e");
    let universe = universe(&packages);
    let nevras: Vec<String> =
        ["a"].into_iter().chain(answer.split_whitespace()).map(nevra).collect();
    let row = format!("a\t{}\t{}", nevras.len(), nevras.join("\t"));
    let questions = Questions { build_group: &[], of_sources: false, sorted: false };
    let violations = check_answers(&universe, &questions, &row);
    assert_eq!(violations.is_empty(), is_valid, "{dependency} by {answer}: {violations:?}");
}

#[test]
fn rich_requirements_hold() {
    let cases: [(&str, &[&str], &[&str]); 12] = [
        ("(b or c)", &["b", "d"], &[""]),
        ("(b and c)", &["b c", "b d"], &["b", "c", ""]),
        ("(b < 2 and c and e)", &["b d"], &["b c", "b-2 d"]),
        ("(b if c)", &["b c", "b", ""], &["c", "d"]),
        ("(b if c else e)", &["b c", "b d"], &["c", ""]),
        ("(b unless c)", &["b", "b-2"], &["b c", "c", ""]),
        ("(b unless c else e)", &["b", "d", "b d"], &["c", "b c", ""]),
        ("(c with e)", &["d", "c d"], &["c", ""]),
        ("(c without e)", &["c", "c d"], &["d", ""]),
        ("((b or c) with (c or e))", &["c", "d"], &["b", ""]),
        ("(b if (c and e))", &["b d", "c", "b", ""], &["d", "c d"]),
        ("((b if e) and (c if b))", &["b c", "c", "b d", ""], &["d", "b"]),
    ];
    for (dependency, met, unmet) in cases {
        met.iter().for_each(|answer| rich(dependency, "requires", answer, true));
        unmet.iter().for_each(|answer| rich(dependency, "requires", answer, false));
    }
}

#[test]
fn rich_conflicts_are_kept() {
    rich("(b and c)", "conflicts", "b", true);
    rich("(b and c)", "conflicts", "b d", false);
    rich("(b unless c)", "conflicts", "b c", true);
    rich("(b unless c)", "conflicts", "b", false);
    rich("(c with e)", "conflicts", "c", true);
    rich("(c with e)", "conflicts", "d", false);
}

#[test]
fn questions_are_answered() {
    let universe = universe("a\nb\nsource s : requires b : conflicts a\n");
    let ask = |row: &str| {
        let questions = Questions { build_group: &["a", "gone"], of_sources: true, sorted: true };
        check_answers(&universe, &questions, row)
    };
    assert_eq!(
        ask("s\t1\t0.5\ta-1-1.x86_64"),
        [
            "s (row 1): s requires b, which nothing provides",
            "s (row 1): s conflicts with a, which is there"
        ]
    );
    assert_eq!(ask("s\t1\tb-1-1.x86_64"), ["s (row 1): a of the build group is not there"]);
    assert_eq!(ask("t\t-1"), [""; 0]);
    assert_eq!(ask("t\t1\ta-1-1.x86_64"), ["t (row 1): there is no such source"]);
    let unsorted = ask("s\t3\tb-1-1.x86_64\ta-1-1.x86_64");
    assert_eq!(
        unsorted[..2],
        ["s (row 1): it has 2 packages and says 3", "s (row 1): its packages are not sorted"]
    );
    assert_eq!(ask("s"), ["row 1: `s` is no answer"]);
}

/// Every answer of libsolv to a whole distribution is right, and stays so only untouched.
fn check_libsolv(universe: &Universe, questions: &Questions<'_>, answers: &str, valid: usize) {
    let rows: Vec<&str> = answers.lines().collect();
    let solved: Vec<&&str> = rows.iter().filter(|row| row.split('\t').count() > 3).collect();
    assert_eq!(solved.len(), valid);
    let violations = check_answers(universe, questions, answers);
    assert!(
        violations.is_empty(),
        "{} violations: {:#?}",
        violations.len(),
        &violations[..10.min(violations.len())]
    );
    // Nothing is superfluous: without any of its packages an answer is none. A sample is enough.
    for (place, row) in solved.iter().enumerate().step_by(solved.len() / 40) {
        let mut fields: Vec<&str> = row.split('\t').collect();
        let count = fields.len() - 4;
        let count = count.to_string();
        fields[1] = &count;
        fields.remove(3 + place % (fields.len() - 3));
        let violations = check_answers(universe, questions, &fields.join("\t"));
        assert!(!violations.is_empty(), "{row}");
    }
}

/// Real metadata and libsolv's answers to it.
struct Data(PathBuf);

impl Data {
    fn find(test: &str) -> Option<Self> {
        data::find(test).map(Self)
    }

    /// A file of the folder as text, unpacked.
    fn text(&self, name: &str) -> String {
        String::from_utf8(compressed::read(&self.0.join(name), 1 << 30).unwrap()).unwrap()
    }

    /// Metadata of a repository as text.
    fn metadata(&self, repository: &str, kind: &str) -> String {
        let repository = Repository::open(&self.0.join(repository)).unwrap();
        String::from_utf8(repository.file(kind).unwrap().unwrap()).unwrap()
    }
}

#[test]
fn libsolv_answers_to_centos_stream_hold() {
    let Some(data) = Data::find("libsolv_answers_to_centos_stream_hold") else { return };
    let primaries = ["cs9-appstream", "cs9-baseos"].map(|name| data.metadata(name, "primary"));
    let binaries: Vec<_> = primaries.iter().flat_map(|text| read_primary(text)).collect();
    let filelists = read_filelists(&data.metadata("cs9-baseos", "filelists"));
    let universe = Universe::new(&binaries, &filelists, &[]);
    let group = data.text("cs9-build-group.txt");
    let group: Vec<&str> = group.lines().collect();
    let questions = Questions { build_group: &group, of_sources: false, sorted: false };
    check_libsolv(&universe, &questions, &data.text("cs9-libsolv-answers.tsv.zst"), 876);
}

#[test]
fn libsolv_answers_to_debian_hold() {
    let Some(data) = Data::find("libsolv_answers_to_debian_hold") else { return };
    let binaries = read_primary(&data.metadata("sid-binary", "primary"));
    let sources = read_primary(&data.metadata("sid-source", "primary"));
    let universe = Universe::new(&binaries, &[], &sources);
    let group = data.text("sid-build-group.txt");
    let group: Vec<&str> = group.lines().collect();
    let questions = Questions { build_group: &group, of_sources: true, sorted: false };
    check_libsolv(&universe, &questions, &data.text("sid-libsolv-answers.tsv.zst"), 40_922);
}
