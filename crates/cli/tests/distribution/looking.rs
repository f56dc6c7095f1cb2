//! Looks at reports: tells them in a few lines, and checks what holds after every push.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Composed, Outcome, Push, Report};

/// What an artifact is called in a line: packages by their name, others with their kind.
fn name(artifact: &str) -> String {
    let name = artifact.strip_suffix("#f44").unwrap();
    name.strip_prefix("rpms/").unwrap_or(name).to_owned()
}

/// The variants of composes of which everything was taken over from the compose before.
fn reused(composes: &BTreeMap<String, Composed>) -> Vec<String> {
    let variant = |path: &String| path.split_once('/').map(|(variant, _)| variant.to_owned());
    let of_compose = |(key, composed): (&String, &Composed)| {
        let made: BTreeSet<String> = composed.made.iter().filter_map(variant).collect();
        let reused: BTreeSet<String> = composed.reused.iter().filter_map(variant).collect();
        let whole = reused.difference(&made).map(|variant| format!("{variant} of {}", name(key)));
        whole.collect::<Vec<_>>()
    };
    composes.iter().flat_map(of_compose).collect()
}

/// A push as a paragraph: one line for each list that is not empty.
pub(crate) fn tell(push: &Push) -> String {
    let Outcome { rebuilt, retested, unneeded, waiting, held, failed, rejected, composes } =
        &push.outcome;
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
    let lists: [(&str, Vec<String>); 8] = [
        ("rebuilt", names(&mut rebuilt.keys())),
        ("retested", names(&mut retested.iter())),
        ("left alone", names(&mut unneeded.iter())),
        ("waiting", waiting.collect()),
        ("held", held.collect()),
        ("failed", names(&mut failed.keys())),
        ("rejected", rejected.collect()),
        ("reused", reused(composes)),
    ];
    let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
    let lines = lists.map(|(what, items)| format!("  {what}: {}\n", items.join(", ")));
    format!("{}\n{}", push.name, lines.collect::<String>())
}

/// After every push what is published was checked: each generation once, in order, and the last one again when there was
/// no new one.
pub(crate) fn check_published(report: &Report) {
    let mut last = 0;
    for push in &report.pushes {
        let generations: Vec<i64> = push.checks.iter().map(|check| check.generation).collect();
        let Outcome { held, rejected, failed, .. } = &push.outcome;
        let stopped = !held.is_empty() || !rejected.is_empty() || !failed.is_empty();
        let first = if stopped { last } else { last + 1 };
        let in_order: Vec<i64> = (first..).take(generations.len()).collect();
        assert_eq!(generations, in_order, "{}", push.name);
        assert!(!stopped || generations.len() == 1, "{}: {generations:?}", push.name);
        last = generations.last().copied().unwrap();
        for check in &push.checks {
            assert!(check.passed, "{}: {:?}", push.name, check.said);
            // Two packages are new in the last pushes.
            let packages = match push.name.as_str() {
                "6d-what-it-lacked" => 25,
                "6e-asked-for" => 26,
                _ => 24,
            };
            let expected = [
                format!("{packages} packages: readable, resolved, installable"),
                "3 images: whole, readable, of these packages".to_owned(),
            ];
            assert_eq!(check.said[..2], expected, "{}", push.name);
        }
        let composes =
            "1 compose: read by productmd, libcomps and dnf, groups reading, workshop installable";
        let newest = push.checks.last().unwrap();
        assert_eq!(newest.said[2..], [composes], "{}", push.name);
    }
}

/// Nothing came out otherwise, nothing was forgotten, and every build of a package or an image was repeated with only its
/// release bumped.
pub(crate) fn check_proof(report: &Report) {
    let is_proven = |key: &&String| !key.starts_with("composes/");
    let mut all: BTreeSet<String> = BTreeSet::new();
    for push in &report.pushes {
        let proof = push.proof.as_ref().unwrap();
        assert!(proof.differing.is_empty(), "{}: {:?}", push.name, proof.differing);
        let published =
            push.outcome.rebuilt.keys().filter(|key| !push.outcome.held.contains_key(*key));
        let published: BTreeSet<String> = published.filter(is_proven).cloned().collect();
        all.extend(published.iter().cloned());
        let looked_at = [&proof.bumped, &proof.renewed, &proof.known];
        let looked_at: BTreeSet<String> = looked_at.into_iter().flatten().cloned().collect();
        assert_eq!(looked_at, all, "{}", push.name);
        let not_bumped: Vec<&String> =
            published.iter().filter(|key| !proof.bumped.contains(*key)).collect();
        assert!(not_bumped.is_empty(), "{}: {not_bumped:?}", push.name);
    }
    assert_eq!(all.len(), 24);
    // The first fix of the base library gives most others another root to be built in.
    let renewed = &report.pushes[1].proof.as_ref().unwrap().renewed;
    for name in ["dayof", "knots", "moonphase"] {
        assert!(renewed.contains(&format!("rpms/{name}#f44")), "{renewed:?}");
    }
}
