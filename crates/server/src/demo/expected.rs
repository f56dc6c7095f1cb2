//! Files of expectations, and how what happened differs from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use model::artifact::ArtifactKey;
use model::build::FailureKind;
use model::source::SourceProblem;
use serde::Deserialize;

use super::outcome::{Composed, Objected, Outcome};
use crate::admin::AdminError;

/// What a push must cause: `expected/N-NAME.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    push: String,
    /// All true causes of each; Millstream names the one that it found first.
    #[serde(default)]
    rebuilt: BTreeMap<ArtifactKey, BTreeSet<String>>,
    #[serde(default)]
    retested: BTreeSet<ArtifactKey>,
    #[serde(default)]
    unneeded: BTreeSet<ArtifactKey>,
    #[serde(default)]
    waiting: BTreeMap<ArtifactKey, ExpectedWaiting>,
    #[serde(default)]
    held: BTreeMap<ArtifactKey, BTreeSet<Objected>>,
    #[serde(default)]
    failed: BTreeMap<ArtifactKey, FailureKind>,
    #[serde(default)]
    rejected: BTreeMap<ArtifactKey, SourceProblem>,
    #[serde(default)]
    composes: BTreeMap<ArtifactKey, Composed>,
    #[serde(default)]
    untouched: BTreeSet<ArtifactKey>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedWaiting {
    because: BTreeSet<String>,
    waits_for: BTreeSet<ArtifactKey>,
}

impl Expected {
    /// Reads a file.
    ///
    /// # Errors
    /// [`AdminError::Input`] names the file and the place in it.
    pub(super) fn read(path: &Path, push: &str) -> Result<Self, AdminError> {
        let invalid = |problem: &dyn Display| {
            AdminError::Input(format!("could not read {}: {problem}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|error| invalid(&error))?;
        let expected: Self = serde_json::from_str(&text).map_err(|error| invalid(&error))?;
        if expected.push != push {
            return Err(invalid(&format!("it is about {:?}, not {push:?}", expected.push)));
        }
        Ok(expected)
    }

    /// How an outcome differs, one sentence for each difference; none if it is as expected.
    pub(super) fn differences(&self, outcome: &Outcome, all: &[ArtifactKey]) -> Vec<String> {
        let reached = outcome.reached();
        let untouched: BTreeSet<ArtifactKey> =
            all.iter().filter(|artifact| !reached.contains(artifact)).cloned().collect();
        let mut found = Vec::new();
        found.extend(sets("retested", &self.retested, &outcome.retested));
        found.extend(sets("unneeded", &self.unneeded, &outcome.unneeded));
        found.extend(sets("untouched", &self.untouched, &untouched));
        found.extend(maps("rebuilt", &self.rebuilt, &outcome.rebuilt, cause));
        found.extend(maps("waiting", &self.waiting, &outcome.waiting, |expected, actual| {
            let problem = cause(&expected.because, &actual.because);
            problem.or_else(|| equal(&expected.waits_for, &actual.waits_for))
        }));
        found.extend(maps("held", &self.held, &outcome.held, equal));
        found.extend(maps("failed", &self.failed, &outcome.failed, equal));
        found.extend(maps("rejected", &self.rejected, &outcome.rejected, place));
        found.extend(maps("composes", &self.composes, &outcome.composes, deliverables));
        found
    }
}

/// The cause that was named has to be one of the true ones.
fn cause(expected: &BTreeSet<String>, actual: &String) -> Option<String> {
    let list = || expected.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
    (!expected.contains(actual)).then(|| format!("is because of {actual}, not of {}", list()))
}

/// The file and the line have to be the same, and the message has to begin as expected: its end is rpm's affair.
fn place(expected: &SourceProblem, actual: &SourceProblem) -> Option<String> {
    let same = (&expected.file, expected.line) == (&actual.file, actual.line)
        && actual.message.starts_with(&expected.message);
    (!same).then(|| format!("is {actual}, not {expected}"))
}

/// What was made and what was reused have to be the same; only what came about otherwise is named.
fn deliverables(expected: &Composed, actual: &Composed) -> Option<String> {
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these.difference(those).cloned().collect()
    };
    let found = [
        ("makes", only(&actual.made, &expected.made)),
        ("reuses", only(&actual.reused, &expected.reused)),
        ("does not make", only(&expected.made, &actual.made)),
        ("does not reuse", only(&expected.reused, &actual.reused)),
    ];
    let found = found.into_iter().filter(|(_, paths)| !paths.is_empty());
    let found: Vec<String> =
        found.map(|(how, paths)| format!("{how} {}", paths.join(", "))).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn equal<T: PartialEq + std::fmt::Debug>(expected: &T, actual: &T) -> Option<String> {
    (expected != actual).then(|| format!("is {actual:?}, not {expected:?}"))
}

fn sets(
    what: &str,
    expected: &BTreeSet<ArtifactKey>,
    actual: &BTreeSet<ArtifactKey>,
) -> Vec<String> {
    let missing = expected.difference(actual).map(|artifact| missing(what, artifact));
    let extra = actual.difference(expected).map(|artifact| extra(what, artifact));
    missing.chain(extra).collect()
}

fn maps<E, A>(
    what: &str,
    expected: &BTreeMap<ArtifactKey, E>,
    actual: &BTreeMap<ArtifactKey, A>,
    differ: impl Fn(&E, &A) -> Option<String>,
) -> Vec<String> {
    let keys: BTreeSet<&ArtifactKey> = expected.keys().chain(actual.keys()).collect();
    let compare = |artifact: &ArtifactKey| match (expected.get(artifact), actual.get(artifact)) {
        (Some(expected), Some(actual)) => {
            differ(expected, actual).map(|how| format!("{what}: {artifact} {how}"))
        }
        (Some(_), None) => Some(missing(what, artifact)),
        (None, _) => Some(extra(what, artifact)),
    };
    keys.into_iter().filter_map(compare).collect()
}

fn missing(what: &str, artifact: &ArtifactKey) -> String {
    format!("{what}: {artifact} is missing")
}

fn extra(what: &str, artifact: &ArtifactKey) -> String {
    format!("{what}: {artifact} is not expected there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::outcome::WaitingStep;

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn composed() -> Composed {
        let set = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
        Composed { reused: set(&["A/x86_64/os"]), made: set(&["B/x86_64/os", "metadata"]) }
    }

    /// Compares an outcome, which `change` makes of one that is as expected, with what is expected of it.
    fn check(change: impl FnOnce(&mut Outcome), expected: &[&str]) {
        let file = r#"{
            "push": "1-x",
            "rebuilt": {"rpms/a#f44": ["commit", "b:abi"], "rpms/h#f44": ["commit"]},
            "waiting": {"rpms/w#f44": {"because": ["h:abi"], "waits_for": ["rpms/h#f44"]}},
            "held": {"rpms/h#f44": [{"artifact": "rpms/r#f44", "case": "tests.x"}]},
            "retested": ["rpms/r#f44"],
            "rejected": {"rpms/s#f44": {"file": "s.spec", "line": 7, "message": "Unknown tag"}},
            "composes": {"composes/c#f44": {"reused": ["A/x86_64/os"], "made": ["B/x86_64/os", "metadata"]}},
            "untouched": ["rpms/u#f44"]
        }"#;
        let file: Expected = serde_json::from_str(file).unwrap();
        let waiting = WaitingStep { because: "h:abi".to_owned(), waits_for: [key("h")].into() };
        let objected = Objected { artifact: key("r"), case: "tests.x".to_owned() };
        let message = "Unknown tag: Colour:".to_owned();
        let problem = SourceProblem { file: "s.spec".to_owned(), line: Some(7), message };
        let mut outcome = Outcome {
            rebuilt: ["a", "h"].map(|name| (key(name), "commit".to_owned())).into(),
            waiting: [(key("w"), waiting)].into(),
            held: [(key("h"), [objected].into())].into(),
            retested: [key("r")].into(),
            rejected: [(key("s"), problem)].into(),
            composes: [("composes/c#f44".parse().unwrap(), composed())].into(),
            ..Outcome::default()
        };
        change(&mut outcome);
        let all = ["a", "h", "w", "r", "s", "u"].map(key);
        assert_eq!(file.differences(&outcome, &all), expected);
    }

    #[test]
    fn any_of_the_true_causes_will_do_and_no_other() {
        check(|_| {}, &[]);
        check(|outcome| outcome.rebuilt.extend([(key("a"), "b:abi".to_owned())]), &[]);
        check(
            |outcome| outcome.rebuilt.extend([(key("a"), "b:data".to_owned())]),
            &["rebuilt: rpms/a#f44 is because of b:data, not of b:abi or commit"],
        );
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        check(
            |outcome| {
                outcome.retested.clear();
                outcome.unneeded.insert(key("r"));
            },
            &["retested: rpms/r#f44 is missing", "unneeded: rpms/r#f44 is not expected there"],
        );
        check(
            |outcome| {
                outcome.unneeded.insert(key("u"));
            },
            &["unneeded: rpms/u#f44 is not expected there", "untouched: rpms/u#f44 is missing"],
        );
        check(
            |outcome| {
                outcome.failed.insert(key("a"), FailureKind::Failed);
            },
            &["failed: rpms/a#f44 is not expected there"],
        );
    }

    #[test]
    fn for_whom_it_waits_what_holds_it_and_where_it_is_wrong_have_to_be_the_same() {
        check(
            |outcome| outcome.waiting.get_mut(&key("w")).unwrap().waits_for = [key("a")].into(),
            &["waiting: rpms/w#f44 is {rpms/a#f44}, not {rpms/h#f44}"],
        );
        check(
            |outcome| outcome.held.get_mut(&key("h")).unwrap().clear(),
            &["held: rpms/h#f44 is {}, not {Objected { artifact: rpms/r#f44, case: \"tests.x\" }}"],
        );
        check(
            |outcome| outcome.rejected.get_mut(&key("s")).unwrap().line = Some(8),
            &["rejected: rpms/s#f44 is s.spec:8: Unknown tag: Colour:, not s.spec:7: Unknown tag"],
        );
    }

    #[test]
    fn what_a_compose_made_without_need_is_named() {
        check(
            |outcome| {
                let composed = outcome.composes.values_mut().next().unwrap();
                composed.made.extend(std::mem::take(&mut composed.reused));
            },
            &["composes: composes/c#f44 makes A/x86_64/os; does not reuse A/x86_64/os"],
        );
    }
}
