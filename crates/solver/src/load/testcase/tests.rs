//! Test cases in libsolv's notation, some with mistakes.

use super::*;

const CASE: &str = "# a remark
repo available 99.1 testtags <inline>
#>=Pkg: A 1 1 noarch
#>=Req: B | C
#>=Pkg: B 1 1 noarch
repo more 0 testtags more.repo.gz
repo @System 0 empty
system x86_64 rpm @System
poolflags implicitobsoleteusescolors,!promoteepoch
disable pkg B-1-1.noarch@available
solverflags ignorerecommended !splitprovides

job install name A = 1-1 [weak,forcebest]
job install pkg A-1-1.noarch@available
job install oneof A-1-1.noarch@available B-1-1.noarch@available
job lock provides x & y
job update all packages
result transaction,problems <inline>
#>install A-1-1.noarch@available
#>problem 1 info something
nextjob reusesolver
job favor repo more
result transaction more.r
nextjob
";

#[test]
fn a_case_has_repositories_and_runs() {
    let case = TestCase::parse(CASE.as_bytes()).unwrap();
    assert_eq!(case.unsupported, []);
    let [available, more, system] = &case.repositories[..] else { panic!("{case:?}") };
    assert_eq!((&*available.name, available.priority), ("available", (99, 1)));
    let Content::Inline(packages) = &available.content else { panic!("{available:?}") };
    assert_eq!(packages.packages[0].requires[0].to_string(), "(B or C)");
    let file = Content::File { format: "testtags".to_owned(), name: "more.repo.gz".to_owned() };
    assert_eq!((&more.content, &system.content), (&file, &Content::Empty));
    assert_eq!(case.runs.len(), 3);
}

#[test]
fn a_run_has_everything_it_needs() {
    let case = TestCase::parse(CASE.as_bytes()).unwrap();
    let [first, second, third] = &case.runs[..] else { panic!("{case:?}") };
    assert_eq!(first.system.arch.as_deref(), Some("x86_64"));
    assert_eq!(first.system.installed.as_deref(), Some("@System"));
    assert_eq!(first.pool_flags, ["implicitobsoleteusescolors", "!promoteepoch"]);
    assert_eq!(first.solver_flags, ["ignorerecommended", "!splitprovides"]);
    let Selection::Name(name) = &first.jobs[0].selection else { panic!("{first:?}") };
    assert_eq!(
        (name.to_string(), &first.jobs[0].flags[..]),
        ("A = 1-1".to_owned(), &["weak".to_owned(), "forcebest".to_owned()][..])
    );
    let package = "A-1-1.noarch@available".to_owned();
    assert_eq!(first.jobs[1].selection, Selection::Package(package.clone()));
    let other = "B-1-1.noarch@available".to_owned();
    assert_eq!(first.jobs[2].selection, Selection::OneOf(vec![package, other]));
    let Selection::Provides(both) = &first.jobs[3].selection else { panic!("{first:?}") };
    assert_eq!((both.to_string(), first.jobs[3].line), ("(x and y)".to_owned(), 16));
    assert_eq!(first.jobs[4].selection, Selection::All);
    let expected = first.expected.as_ref().unwrap();
    assert_eq!(
        (expected.installed(), expected.has_problems()),
        (vec!["A-1-1.noarch@available"], true)
    );
    assert_eq!(
        (&second.system, second.is_continued, &second.solver_flags[..]),
        (&first.system, true, &[][..])
    );
    assert_eq!(second.expected.as_ref().unwrap().installed(), Vec::<&str>::new());
    assert_eq!((third.jobs.len(), third.is_continued, &third.expected), (0, false, &None));
}

#[test]
fn what_is_not_understood_is_told() {
    let case =
        TestCase::parse(b"genid dep A\njob install selection A glob\njob install name A:any\n")
            .unwrap();
    let unsupported: Vec<_> = case.unsupported.iter().map(ToString::to_string).collect();
    let expected = [
        "line 1: `genid dep A` is not understood",
        "line 2: `selection A glob` selects nothing that is known",
        "line 3: the name `A:any` is not supported",
    ];
    assert_eq!(unsupported, expected);
}

#[test]
fn what_is_wrong_has_its_line() {
    let refused = |text: &str| TestCase::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused("repo a x empty"), "line 1: `x` is no priority");
    assert_eq!(refused("\nrepo a 0 testtags"), "line 2: `testtags` has no content");
    assert_eq!(refused("repo a 0 solv <inline>"), "line 1: `solv` has no content");
    let fields = "line 2: `=Pkg: A` is not a name, version, release, arch";
    assert_eq!(refused("repo a 0 testtags <inline>\n#>=Pkg: A\n"), fields);
}
