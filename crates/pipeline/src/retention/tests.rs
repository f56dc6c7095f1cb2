//! Disks as text, and what goes from them.

use model::artifact::BranchName;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

const POLICY: Policy = Policy {
    logs: Duration::from_secs(90 * 86_400),
    snapshots: DAY,
    builds: DAY,
    generations: 2,
    composes: 2,
};

fn branch() -> BranchName {
    "f44".parse().unwrap()
}

/// A name as an id: its letters as bytes.
fn id<T: From<Uuid>>(name: &str) -> T {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    T::from(Uuid::from_bytes(bytes))
}

fn ids<T: From<Uuid>>(names: &str) -> Vec<T> {
    names.split(',').filter(|name| !name.is_empty()).map(id).collect()
}

fn name(subject: &Subject) -> String {
    let name = subject.name.parse::<Uuid>().map(|id| {
        String::from_utf8(id.into_bytes().into_iter().filter(|byte| *byte != 0).collect()).unwrap()
    });
    format!("{} {}", subject.kind, name.unwrap_or_else(|_| subject.name.clone()))
}

fn ago(days: &str) -> Timestamp {
    NOW - DAY * days.parse::<u32>().unwrap()
}

/// Reads facts, one a line: `build NAME WORD…` with `outputs`, `log`, `busy`, `ended=DAYS`, `unused=DAYS`,
/// `against=NAMES`; `published NAME`; `plan NAMES RUNS`; `run NAME BUILD WORD…`; `snapshot NAME DAYS`;
/// `generation NUMBER NAMES [current]`; `compose ID [latest]`.
fn facts(text: &str) -> Facts {
    let mut facts = Facts { now: NOW, ..Facts::default() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let has = |word: &str| words.contains(&word);
        let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
        let ended = value("ended=").map_or(NOW, ago);
        match words[0] {
            "build" => {
                let build = BuildFacts {
                    under_way: has("busy"),
                    ended,
                    against: ids(value("against=").unwrap_or_default()),
                    outputs: has("outputs"),
                    log: has("log"),
                    unused: value("unused=").map(ago),
                };
                facts.builds.insert(id(words[1]), build);
            }
            "published" => facts.published.push((branch(), id(words[1]))),
            "plan" => {
                let runs = ids(words.get(2).copied().unwrap_or_default());
                facts.plans.push(PlanFacts { number: 1, builds: ids(words[1]), runs });
            }
            "run" => facts.runs.push(RunFacts {
                run: id(words[1]),
                build: id(words[2]),
                with: ids(value("with=").unwrap_or_default()),
                under_way: has("busy"),
                ended,
                log: has("log"),
            }),
            "snapshot" => {
                facts
                    .snapshots
                    .push(SnapshotFacts { id: words[1].to_owned(), used: ago(words[2]) });
            }
            "generation" => facts.generations.push(GenerationFacts {
                branch: branch(),
                number: words[1].parse().unwrap(),
                current: has("current"),
                builds: ids(words[2]),
            }),
            "compose" => facts.composes.push(ComposeFacts {
                branch: branch(),
                id: words[1].to_owned(),
                latest: has("latest"),
            }),
            word => panic!("what is {word}?"),
        }
    }
    facts
}

/// What goes, what is noted, and what is noted no more, one a line.
#[track_caller]
fn check(text: &str, expected: &str) {
    let verdict = decide(&facts(text), &POLICY);
    let doomed =
        verdict.doomed.iter().map(|doomed| format!("{}: {}", name(&doomed.subject), doomed.reason));
    let noted = |word: &str, builds: &[BuildId]| -> Vec<String> {
        let outputs = |build| name(&Subject::new(SubjectKind::Outputs, build));
        builds.iter().map(|build| format!("{word} {}", outputs(build))).collect()
    };
    let lines: Vec<String> = doomed
        .chain(noted("unused", &verdict.unused))
        .chain(noted("used", &verdict.used))
        .collect();
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn outputs_go_after_nobody_used_them_for_a_while() {
    check("build a outputs ended=500", "unused outputs a");
    check("build a outputs unused=0", "");
    check("build a outputs unused=1", "outputs a: nothing used it for 1 day");
}

#[test]
fn what_is_published_stays_and_so_does_what_it_was_built_with() {
    check(
        "published app
         build app outputs log ended=900 against=lib,gone
         build lib outputs log ended=900 unused=400
         build old outputs log ended=900 unused=400",
        "log lib: it was over for more than 90 days
         outputs old: nothing used it for 1 day
         log old: it was over for more than 90 days
         used outputs lib",
    );
}

#[test]
fn what_the_buildroot_of_a_buildroot_had_is_not_needed() {
    check(
        "published app
         build app outputs against=lib
         build lib outputs against=cc
         build cc outputs unused=2",
        "outputs cc: nothing used it for 1 day",
    );
}

#[test]
fn an_open_plan_keeps_its_builds_its_runs_and_their_buildroots() {
    check(
        "plan made,replaced r
         build made outputs log ended=100 against=lib
         build replaced outputs log ended=100
         build lib outputs unused=50
         run r other log ended=100
         run s made log ended=100
         run t other log ended=100",
        "test-log t: it was over for more than 90 days
         used outputs lib",
    );
}

#[test]
fn work_under_way_keeps_what_it_reads() {
    check(
        "build b busy log ended=100 against=lib
         build lib outputs unused=9
         build dep outputs unused=9
         build tested outputs unused=9
         run r tested with=dep busy log ended=100",
        "used outputs dep
         used outputs lib
         used outputs tested",
    );
}

#[test]
fn logs_of_failures_go_by_age() {
    check("build a log ended=89", "");
    check("build a log ended=90", "log a: it was over for more than 90 days");
}

#[test]
fn generations_go_by_number_but_never_the_published_one() {
    check(
        "generation 1 a
         generation 2 a
         generation 3 b
         generation 4 b current
         build a outputs unused=5
         build b outputs unused=5",
        "generation f44/2: 2 newer ones are kept
         generation f44/1: 3 newer ones are kept
         outputs a: nothing used it for 1 day
         used outputs b",
    );
    // Something went back, or is about to be switched to.
    check(
        "generation 1 a
         generation 2 a current
         generation 3 a
         generation 4 a",
        "generation f44/1: 3 newer ones are kept",
    );
}

#[test]
fn composes_go_by_line_and_never_what_a_link_points_at() {
    check(
        "compose Almanac-44-20261101.0
         compose Almanac-44-20261102.9
         compose Almanac-44-20261102.10
         compose Almanac-44-20261103.n.0 latest
         compose Other-1-20200101.0 latest
         compose Server-1-20200101.0 latest
         compose Server-1-20210101.0
         compose Server-1-20220101.0
         compose Server-1-20230101.0
         compose foreign",
        "compose f44/Almanac-44-20261102.9: 2 newer ones are kept
         compose f44/Almanac-44-20261101.0: 3 newer ones are kept",
    );
    check("compose A-1-20260101.0\ncompose A-1-20260101.1\ncompose A-1-20260101.2", "");
}

#[test]
fn snapshots_go_after_their_last_use() {
    check("snapshot x 0\nsnapshot y 1", "snapshot y: nothing used it for 1 day");
}

#[test]
fn what_is_kept_is_counted_with_its_reason() {
    let text = "published a\nbuild a outputs log against=b\nbuild b outputs\nsnapshot s 0";
    let kept = decide(&facts(text), &POLICY).kept;
    let lines: Vec<String> =
        kept.iter().map(|((kind, why), n)| format!("{n} {kind} {why}")).collect();
    let expected = [
        "1 log published",
        "1 outputs published",
        "1 outputs needed to build these again",
        "1 snapshot not old enough",
    ];
    assert_eq!(lines, expected);
}

proptest! {
    /// Whatever the marks and ages: nothing is removed that is published, planned, under way, or in the buildroot of such.
    #[test]
    fn nothing_in_use_is_removed(
        builds in prop::collection::vec((any::<bool>(), 0u32..4, prop::collection::vec(0usize..8, 0..3)), 8),
        published in prop::collection::vec(0usize..8, 0..3),
        planned in prop::collection::vec(0usize..8, 0..3),
        busy in prop::collection::vec(0usize..8, 0..2),
    ) {
        let number = |index: usize| id::<BuildId>(&format!("b{index}"));
        let mut facts = Facts { now: NOW, ..Facts::default() };
        for (index, (noted, days, against)) in builds.iter().enumerate() {
            let build = BuildFacts {
                under_way: busy.contains(&index),
                ended: NOW - DAY * (days * 100),
                against: against.iter().map(|&other| number(other)).collect(),
                outputs: true,
                log: true,
                unused: noted.then(|| NOW - DAY * *days),
            };
            facts.builds.insert(number(index), build);
        }
        facts.published = published.iter().map(|&index| (branch(), number(index))).collect();
        let plan = PlanFacts { number: 1, builds: planned.iter().map(|&index| number(index)).collect(), runs: vec![] };
        facts.plans = vec![plan];
        let verdict = decide(&facts, &POLICY);
        for &root in published.iter().chain(&planned).chain(&busy) {
            let needed = builds[root].2.iter().copied().chain([root]);
            for index in needed {
                let subject = Subject::new(SubjectKind::Outputs, number(index));
                prop_assert!(verdict.doomed.iter().all(|doomed| doomed.subject != subject));
            }
            let log = Subject::new(SubjectKind::Log, number(root));
            prop_assert!(verdict.doomed.iter().all(|doomed| doomed.subject != log));
        }
    }
}
