//! What is wrong with rule files, by line, and that nothing in one makes the reader fall.

use proptest::prelude::*;

use super::*;

/// What is wrong with a file named `rule.yaml`, one problem on each line.
#[track_caller]
fn check(text: &str, expected: &str) {
    let found = match read("some/rule.yaml", text) {
        Ok(_) => String::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    assert_eq!(found.replace("some/rule.yaml", "rule"), expected);
}

#[test]
fn a_rule_has_all_its_parts() {
    let text = "\
id: rule
description: Images at night, unless the fix is severe.
on: [requested, committed]
when: artifact.kind == \"rpms\"
do: rebuild
mode: dry-run
severity: low
follow:
  - edges: [contains, layered-on]
    when: event.severity >= important
  - edges: [contains]
    hours: 22:00-06:00
    depth: 2
limits: {debounce: 10m, debounce_at_most: 2h, size: 500, hours: 00:00-12:00}
";
    let rule = read("rule.yaml", text).unwrap();
    assert_eq!(rule.on, [EventKind::Committed, EventKind::Requested]);
    assert_eq!((rule.action, rule.mode), (Some(Action::Rebuild), Mode::DryRun));
    assert_eq!(rule.follow[1].depth, Some(2));
    assert_eq!(rule.follow[1].hours.unwrap().to_string(), "22:00-06:00 UTC");
    assert_eq!(rule.limits.debounce, Some(Duration::from_secs(600)));
    assert_eq!(rule.limits.size, Some(500));
}

#[test]
fn a_file_may_only_switch_a_rule_off() {
    check("id: rule\ndisabled: true\n", "");
    check(
        "id: rule\ndisabled: maybe\n",
        "\
rule:1: `description` is missing: it is what people read when the rule acts
rule:1: `on` is missing: the kinds of event the rule is asked about
rule:1: the rule does nothing: it has no `do`, no `follow`, no `limits` and no `severity`
rule:2: expected true or false, got a text",
    );
}

const HEAD: &str = "id: rule\ndescription: Something.\n";

#[track_caller]
fn check_tail(tail: &str, expected: &str) {
    check(&format!("{HEAD}{tail}"), expected);
}

#[test]
fn every_problem_is_told_with_its_line() {
    check_tail(
        "on: [comitted]\nwhen: artifact.nam == 'x'\ndo: build\nfollow:\n  - edge: [contains]\n  - edges: [contain]\n    depth: 0\nlimits:\n  size: many\n  hours: at night\n",
        "\
rule:3: \"comitted\" is none of committed, requested, test-result, branch-deleted, time-elapsed
rule:4: `artifact` has no field `nam`: it has branch, kind, labels, name, teams
rule:5: \"build\" is none of rebuild, retest, compose, notify, leave
rule:7: there is no field `edge`: there are edges, when, depth, hours
rule:8: \"contain\" is none of build-requires, buildroot, requires, contains, layered-on, ships
rule:8: entry 1 of `follow` takes all these edges already: of several entries the first that fits decides
rule:9: expected a number from 1, got a number
rule:11: expected a number from 1, got a text
rule:12: \"at night\" is not a valid span of hours: HH:MM-HH:MM in UTC, or with the distance from it, e.g. 22:00-06:00 +02:00",
    );
}

#[test]
fn a_condition_over_several_lines_is_told_by_line() {
    check_tail(
        "on: [committed]\ndo: rebuild\nwhen:\n  artifact.kind == 'rpms' &&\n  artifact.nam == 'x'\n",
        "rule:6: `artifact` has no field `nam`: it has branch, kind, labels, name, teams",
    );
}

#[test]
fn what_is_reserved_is_refused() {
    check_tail(
        "on: [committed]\ndo: rebuild\nmode: scratch\ngate: none\n",
        "\
rule:5: `scratch` is reserved: there are no scratch builds yet; `dry-run` shows what a rule would do
rule:6: `gate` is reserved: what stands between a build and its dependents is said by gating.yaml and the floor policy, which no rule relaxes",
    );
}

#[test]
fn the_id_is_the_name_of_the_file() {
    check(
        "id: other\ndisabled: true\n",
        "rule:1: the id is other, and the file is named rule: they have to be the same",
    );
    check("disabled: true\n", "rule:1: `id` is missing");
    check("id: 7\ndisabled: true\n", "rule:1: expected a text, got a number");
}

#[test]
fn what_does_nothing_is_refused() {
    check_tail(
        "on: [committed]\n",
        "rule:1: the rule does nothing: it has no `do`, no `follow`, no `limits` and no `severity`",
    );
    check_tail(
        "on: [committed]\ndo: notify\nlimits: {size: 3}\n",
        "rule:5: a rule that notifies starts no change: it follows nothing and needs no limits",
    );
    check_tail(
        "on: [committed]\ndo: leave\nfollow:\n  - hours: 01:00-02:00\n",
        "rule:6: a rule that leaves starts nothing: neither limits nor hours mean anything",
    );
    check_tail(
        "on: [branch-deleted]\ndo: rebuild\n",
        "rule:3: when a branch is deleted there is nothing left to build or to test: a rule on branch-deleted can notify or leave",
    );
    check_tail(
        "on: [committed]\nfollow:\n  - edges: [contains, ships]\n  - edges: [ships]\n    when: edge.package == 'x'\n",
        "rule:6: entry 1 of `follow` takes all these edges already: of several entries the first that fits decides",
    );
    check_tail(
        "on: [committed]\ndo: rebuild\nlimits: {debounce: 1h, debounce_at_most: 1m}\n",
        "rule:5: `debounce_at_most` is shorter than `debounce`",
    );
}

#[test]
fn time_needs_a_period_and_artifacts() {
    check_tail(
        "on: [time-elapsed]\ndo: rebuild\n",
        "rule:3: a rule on time-elapsed that does something says how often: `every: 7d`",
    );
    check_tail(
        "on: [time-elapsed]\nevery: 1s\ndo: rebuild\n",
        "rule:4: a rule with `every` says for which artifacts: `when: artifact.kind == \"containers\"`\nrule:4: `every` is at least 1m",
    );
    check_tail(
        "on: [committed, time-elapsed]\nevery: 7d\nwhen: artifact.name == 'x'\ndo: rebuild\n",
        "rule:4: a rule with `every` is on time-elapsed alone: `on: [time-elapsed]`",
    );
    check_tail("on: [time-elapsed]\nevery: 7d\nwhen: artifact.name == 'x'\ndo: rebuild\n", "");
}

#[test]
fn what_is_no_rule_file_is_refused() {
    check(
        "",
        "rule:1: expected fields (id, description, on, every, when, do, mode, severity, follow, limits, disabled), got nothing",
    );
    check(
        "- a\n",
        "rule:1: expected fields (id, description, on, every, when, do, mode, severity, follow, limits, disabled), got a list",
    );
    assert!(read("rule.yaml", "id: [\n").is_err());
    assert!(read("rule.yaml", &" ".repeat(70_000)).is_err());
}

/// Pieces of rule files, put together in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "id: rule\n",
        "description: x\n",
        "on: [committed]\n",
        "on:\n",
        "when: ",
        "artifact.kind",
        " == ",
        "\"rpms\"",
        "do: rebuild\n",
        "follow:\n",
        "  - edges: [ships]\n",
        "    when: ",
        "    hours: ",
        "22:00-06:00",
        "limits: {",
        "size: 3",
        "}",
        "[",
        "]",
        "\n",
        "  ",
        "&a ",
        "*a",
        "!",
        "'",
        "\"",
        "|",
        ">",
        ": ",
        "- ",
        "(",
        ")",
        "&&",
        "||",
        "?",
        "é",
        "\u{0}",
        "\t",
        "exists(x, ",
        "event",
        ".",
        "in",
        "{",
        ",",
        "-",
        "1",
        "1e9",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(text in prop_oneof![pieces(), "\\PC{0,200}", "(?s).{0,100}"]) {
        let _ = read("rule.yaml", &text);
        let _ = Condition::compile(&text, Scope { on: &[EventKind::Committed], in_follow: true });
    }
}
