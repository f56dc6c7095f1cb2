//! Looks at reports: tells them in a few lines, and checks what holds after every push.

use std::collections::BTreeSet;

use crate::report::{Outcome, Push, Report};

/// A push as a paragraph: one line for each list that is not empty.
pub(crate) fn tell(push: &Push) -> String {
    let name = |artifact: &str| {
        artifact
            .strip_prefix("rpms/")
            .and_then(|name| name.strip_suffix("#f44"))
            .unwrap()
            .to_owned()
    };
    let Outcome { rebuilt, retested, unneeded, waiting, held, failed, rejected } = &push.outcome;
    let names = |keys: &mut dyn Iterator<Item = &String>| keys.map(|key| name(key)).collect();
    let waiting = waiting.iter().map(|(key, waiting)| {
        let waits_for: Vec<String> = waiting.waits_for.iter().map(|key| name(key)).collect();
        format!("{} for {}", name(key), waits_for.join(" and "))
    });
    let held = held.iter().map(|(key, objected)| {
        let cases =
            objected.iter().map(|test| format!("{} of {}", test.case, name(&test.artifact)));
        format!("{} by {}", name(key), cases.collect::<Vec<_>>().join(" and "))
    });
    let rejected = rejected
        .iter()
        .map(|(key, place)| format!("{} at {}:{}", name(key), place.file, place.line));
    let lists: [(&str, Vec<String>); 7] = [
        ("rebuilt", names(&mut rebuilt.keys())),
        ("retested", names(&mut retested.iter())),
        ("left alone", names(&mut unneeded.iter())),
        ("waiting", waiting.collect()),
        ("held", held.collect()),
        ("failed", names(&mut failed.keys())),
        ("rejected", rejected.collect()),
    ];
    let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
    let lines = lists.map(|(what, items)| format!("  {what}: {}\n", items.join(", ")));
    format!("{}\n{}", push.name, lines.collect::<String>())
}

/// After every push the repository was checked: each generation once, in order, and the last one again when there was
/// no new one.
pub(crate) fn check_repository(report: &Report) {
    let mut last = 0;
    for push in &report.pushes {
        let generations: Vec<i64> = push.checks.iter().map(|check| check.generation).collect();
        let stopped = !push.outcome.held.is_empty() || !push.outcome.rejected.is_empty();
        let first = if stopped { last } else { last + 1 };
        let in_order: Vec<i64> = (first..).take(generations.len()).collect();
        assert_eq!(generations, in_order, "{}", push.name);
        assert!(!stopped || generations.len() == 1, "{}: {generations:?}", push.name);
        last = generations.last().copied().unwrap();
        for check in &push.checks {
            assert!(check.passed, "{}: {:?}", push.name, check.said);
            assert_eq!(check.said, ["24 packages: readable, resolved, installable"]);
        }
    }
}

/// Nothing came out otherwise, nothing was forgotten, and every build was repeated with only its release bumped.
pub(crate) fn check_proof(report: &Report) {
    let all: BTreeSet<String> = report.pushes[0].outcome.rebuilt.keys().cloned().collect();
    assert_eq!(all.len(), 19);
    for push in &report.pushes {
        let proof = push.proof.as_ref().unwrap();
        assert!(proof.differing.is_empty(), "{}: {:?}", push.name, proof.differing);
        let looked_at = [&proof.bumped, &proof.renewed, &proof.known];
        let looked_at: BTreeSet<String> = looked_at.into_iter().flatten().cloned().collect();
        assert_eq!(looked_at, all, "{}", push.name);
        let published =
            push.outcome.rebuilt.keys().filter(|key| !push.outcome.held.contains_key(*key));
        let not_bumped: Vec<&String> =
            published.filter(|key| !proof.bumped.contains(*key)).collect();
        assert!(not_bumped.is_empty(), "{}: {not_bumped:?}", push.name);
    }
    // The first fix of the base library gives most others another root to be built in.
    let renewed = &report.pushes[1].proof.as_ref().unwrap().renewed;
    for name in ["dayof", "knots", "moonphase"] {
        assert!(renewed.contains(&format!("rpms/{name}#f44")), "{renewed:?}");
    }
}
