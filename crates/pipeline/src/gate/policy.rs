//! Reads policies in Greenwave's YAML: several documents, each with or without the tag `!Policy`.
//!
//! What Greenwave can say and Millstream cannot is an error, never skipped: a rule that is not understood would open a
//! gate that somebody meant to close.

use std::fmt;

use model::artifact::{ArtifactKey, ArtifactKind};
use model::gate::{Policy, Rule};
use serde::Deserialize;
use yaml_serde::{Deserializer, Value};

use super::glob;
use super::wire::{Document, WireRule};

/// A policy, and which artifacts it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedPolicy {
    /// What must hold, and on which branches.
    pub policy: Policy,
    /// The types of subject it is for; `*` for every one.
    pub subject_types: Vec<String>,
    /// Globs for the packages it is for; every one if there is none.
    pub packages: Vec<String>,
    /// Globs for the packages it is not for, whatever `packages` says.
    pub excluded_packages: Vec<String>,
}

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyProblem {
    /// Which document of the file, from 1.
    pub document: usize,
    /// The line in the file, where it is known.
    pub line: Option<usize>,
    /// The policy's id, where it has one.
    pub policy: Option<String>,
    /// The attribute, e.g. `rules[1].test_case_name`, and what is wrong with it.
    pub message: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: ")?,
            None => write!(f, "document {}: ", self.document)?,
        }
        if let Some(policy) = &self.policy {
            write!(f, "policy '{policy}': ")?;
        }
        f.write_str(&self.message)
    }
}

/// Where a policy lies: a commit's own file may leave out what the server's must say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Server,
    DistGit,
}

/// Reads the server's policies, the floor that every artifact inherits.
///
/// # Errors
/// The first [`PolicyProblem`] of the file.
pub fn read_server_policies(yaml: &str) -> Result<Vec<ScopedPolicy>, PolicyProblem> {
    documents(yaml, Origin::Server).into_iter().collect()
}

/// Reads the `gating.yaml` of an artifact. `id`, `product_versions` and `subject_type` may be left out.
///
/// # Errors
/// The first [`PolicyProblem`] of the file.
pub fn read_gating_yaml(yaml: &str) -> Result<Vec<ScopedPolicy>, PolicyProblem> {
    documents(yaml, Origin::DistGit).into_iter().collect()
}

/// The policies that are for builds of this artifact. `packages` of a policy are names of artifacts.
pub fn policies_for(policies: &[ScopedPolicy], artifact: &ArtifactKey) -> Vec<Policy> {
    let name = artifact.name.as_str();
    let named = |globs: &[String]| globs.iter().any(|glob| glob::matches(glob, name));
    let is_kind = |kind: &String| kind == "*" || subjects(artifact.kind).contains(&kind.as_str());
    let is_for = |scoped: &&ScopedPolicy| {
        scoped.subject_types.iter().any(is_kind)
            && (scoped.packages.is_empty() || named(&scoped.packages))
            && !named(&scoped.excluded_packages)
    };
    policies.iter().filter(is_for).map(|scoped| scoped.policy.clone()).collect()
}

/// What Greenwave calls builds of a kind: its own names, and those that OSBS and productmd use.
fn subjects(kind: ArtifactKind) -> &'static [&'static str] {
    match kind {
        ArtifactKind::Rpms => &["koji_build", "brew-build"],
        ArtifactKind::Containers => &["container", "redhat-container-image"],
        ArtifactKind::Composes => &["compose", "productmd-compose"],
    }
}

/// Everything that is wrong with a `gating.yaml`, also what can be read and is hardly meant.
pub fn lint(yaml: &str) -> Vec<PolicyProblem> {
    let mut problems = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for (index, read) in documents(yaml, Origin::DistGit).into_iter().enumerate() {
        let scoped = match read {
            Ok(scoped) => scoped,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let id = scoped.policy.id.clone();
        let mut doubts = doubts(&scoped);
        if ids.contains(&id) {
            doubts.push(format!("id: another policy is called '{id}'"));
        }
        ids.push(id.clone());
        problems.extend(doubts.into_iter().map(|message| PolicyProblem {
            document: index + 1,
            line: None,
            policy: Some(id.clone()),
            message,
        }));
    }
    if ids.is_empty() && problems.is_empty() {
        let message = "there is no policy in the file".to_owned();
        problems.push(PolicyProblem { document: 1, line: None, policy: None, message });
    }
    problems
}

/// What can be read and is hardly meant.
fn doubts(scoped: &ScopedPolicy) -> Vec<String> {
    let mut doubts = Vec::new();
    let policy = &scoped.policy;
    if policy.rules.is_empty() {
        doubts.push("rules: the list is empty, so nothing is required".to_owned());
    }
    if policy.product_versions.is_empty() {
        doubts.push(
            "product_versions: the list is empty, so the policy is never in force".to_owned(),
        );
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        let Rule::PassingTestCase { test_case } = rule;
        if policy.rules[..index].contains(rule) {
            doubts.push(format!("rules[{index}]: {test_case} is required twice"));
        }
    }
    doubts
}

/// The documents of a file. A document that consists of comments is none.
fn documents(yaml: &str, origin: Origin) -> Vec<Result<ScopedPolicy, PolicyProblem>> {
    let mut read = Vec::new();
    let documents = Deserializer::from_str(yaml).zip(Deserializer::from_str(yaml));
    for (index, (document, again)) in documents.enumerate() {
        let mut place = Place { document: index + 1, policy: None };
        // A value is read first, for the tag and the id; what is wrong with an attribute shows when it is read as a policy.
        match Value::deserialize(document) {
            Ok(Value::Null) => {}
            Ok(value) => {
                place.policy = id(&value);
                let policy = check_tag(&value).map_err(|message| place.problem(message));
                read.push(policy.and_then(|()| read_document(again, origin, &place)));
            }
            Err(error) => {
                // What is no YAML has no next document: the reader would go on in the middle of this one.
                read.push(Err(place.yaml_problem(&error)));
                break;
            }
        }
    }
    read
}

fn read_document(
    document: Deserializer<'_>,
    origin: Origin,
    place: &Place,
) -> Result<ScopedPolicy, PolicyProblem> {
    let document = Document::deserialize(document).map_err(|error| place.yaml_problem(&error))?;
    scoped(document, origin).map_err(|message| place.problem(message))
}

/// Where a problem is.
struct Place {
    document: usize,
    policy: Option<String>,
}

impl Place {
    fn problem(&self, message: String) -> PolicyProblem {
        PolicyProblem { document: self.document, line: None, policy: self.policy.clone(), message }
    }

    /// The reader ends its messages in the place, which has a field of its own here.
    fn yaml_problem(&self, error: &yaml_serde::Error) -> PolicyProblem {
        let line = error.location().map(|location| location.line());
        let mut message = error.to_string();
        if let Some(cut) = line.and_then(|line| message.rfind(&format!(" at line {line} column ")))
        {
            message.truncate(cut);
        }
        PolicyProblem { line, ..self.problem(message) }
    }
}

fn id(value: &Value) -> Option<String> {
    let value = untagged(value);
    let id = value.get("id")?;
    id.as_str()
        .map(str::to_owned)
        .or_else(|| yaml_serde::to_string(id).ok().map(|id| id.trim().to_owned()))
}

fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => &tagged.value,
        other => other,
    }
}

fn check_tag(value: &Value) -> Result<(), String> {
    match value {
        Value::Tagged(tagged) if tagged.tag != "Policy" => {
            Err(format!("expected a policy, got a document tagged {}", tagged.tag))
        }
        value if !untagged(value).is_mapping() => {
            Err("expected a policy, that is a mapping of attributes".to_owned())
        }
        _ => Ok(()),
    }
}

fn scoped(document: Document, origin: Origin) -> Result<ScopedPolicy, String> {
    let or_missing = |name: &str, value: Option<Vec<String>>, default: &str| match (value, origin) {
        (Some(value), _) => Ok(value),
        (None, Origin::DistGit) => Ok(vec![default.to_owned()]),
        (None, Origin::Server) => Err(format!("{name}: the attribute is missing")),
    };
    let contexts = one_or_many(
        ("decision_context", document.decision_context),
        ("decision_contexts", document.decision_contexts),
    )?;
    let subject_types = one_or_many(
        ("subject_type", document.subject_type),
        ("subject_types", document.subject_types),
    )?;
    let id = or_missing("id", document.id.map(|id| vec![id]), "gating.yaml")?.concat();
    let rule = |rule| match rule {
        WireRule::PassingTestCaseRule(rule) => {
            Ok(Rule::PassingTestCase { test_case: rule.test_case_name })
        }
        WireRule::RemoteRule(_) => Err("rules: !RemoteRule is not supported".to_owned()),
    };
    Ok(ScopedPolicy {
        policy: Policy {
            id,
            product_versions: or_missing("product_versions", document.product_versions, "*")?,
            decision_contexts: contexts.ok_or("decision_contexts: no decision context is given")?,
            rules: document.rules.into_iter().map(rule).collect::<Result<_, _>>()?,
        },
        subject_types: or_missing("subject_type", subject_types, "*")?,
        packages: document.packages,
        excluded_packages: document.excluded_packages,
    })
}

/// Greenwave has two spellings of the same attribute, of which a policy uses one.
fn one_or_many(
    one: (&str, Option<String>),
    many: (&str, Vec<String>),
) -> Result<Option<Vec<String>>, String> {
    match (one.1.filter(|text| !text.is_empty()), many.1) {
        (None, many) if many.is_empty() => Ok(None),
        (None, many) => Ok(Some(many)),
        (Some(one), many) if many.is_empty() => Ok(Some(vec![one])),
        _ => Err(format!("{}, {}: both are given, use one of them", one.0, many.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Policies as `id @ versions @ contexts: cases`, one a line; or the error.
    fn show(read: Result<Vec<ScopedPolicy>, PolicyProblem>) -> String {
        let policy = |scoped: &ScopedPolicy| {
            let Policy { id, product_versions, decision_contexts, rules } = &scoped.policy;
            let cases = rules.iter().map(|Rule::PassingTestCase { test_case }| test_case.as_str());
            let cases: Vec<&str> = cases.collect();
            let (versions, contexts) = (product_versions.join(","), decision_contexts.join(","));
            format!("{id} @ {versions} @ {contexts}: {}", cases.join(" "))
        };
        match read {
            Ok(policies) => policies.iter().map(policy).collect::<Vec<_>>().join("\n"),
            Err(problem) => problem.to_string(),
        }
    }

    fn check(yaml: &str, expected: &str) {
        assert_eq!(show(read_gating_yaml(yaml)), expected, "{yaml}");
    }

    fn check_server(yaml: &str, expected: &str) {
        assert_eq!(show(read_server_policies(yaml)), expected, "{yaml}");
    }

    const USUAL: &str = "--- !Policy
product_versions:
  - fedora-*
decision_context: bodhi_update_push_testing
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: fedora-ci.tier0.functional}
";

    #[test]
    fn the_usual_gating_yaml_is_read() {
        check(
            USUAL,
            "gating.yaml @ fedora-* @ bodhi_update_push_testing: fedora-ci.tier0.functional",
        );
    }

    #[test]
    fn documents_need_no_tag_and_numbers_are_texts() {
        check(
            "# ours\n---\nid: 7\nproduct_versions: [1.10]\ndecision_contexts: [a, b]\nrules: []\n---\n!Policy\ndecision_context: c\nrules:\n- !PassingTestCaseRule {test_case_name: 1.10}\n",
            "7 @ 1.10 @ a,b: \ngating.yaml @ * @ c: 1.10",
        );
    }

    #[test]
    fn an_empty_file_has_no_policies() {
        check("", "");
        check("--- \n# nothing\n", "");
    }

    /// What is wrong with this rule, which stands in line 5 of a policy called x.
    fn check_rule(rule: &str, expected: &str) {
        let yaml = format!("--- !Policy\nid: x\ndecision_context: c\nrules:\n  - {rule}\n");
        check(&yaml, &format!("line 5: policy 'x': {expected}"));
    }

    #[test]
    fn what_is_not_supported_is_named_with_its_line() {
        check_rule(
            "!RemoteRule {required: true}",
            "rules: !RemoteRule is not supported: an artifact's own gating.yaml is always asked",
        );
        check_rule(
            "!PassingTestCaseRule {test_case_name: a, scenario: s}",
            "rules[0]: scenarios are not supported: name a test case for each",
        );
        check_rule(
            "!PassingTestCaseRule {test_case_name: a, valid_since: 2020-01-01}",
            "rules[0]: dates of validity are not supported: change the policy on the day instead",
        );
        check_rule(
            "!PackageSpecificBuild {test_case_name: a, repos: []}",
            "rules: unknown variant `PackageSpecificBuild`, expected `PassingTestCaseRule` or `RemoteRule`",
        );
    }

    #[test]
    fn a_rule_has_one_named_test_case() {
        check_rule("!PassingTestCaseRule {}", "rules[0]: missing field `test_case_name`");
        check_rule(
            "!PassingTestCaseRule {test_case_name: [a]}",
            "rules[0].test_case_name: invalid type: sequence, expected a string",
        );
        check_rule(
            "!PassingTestCaseRule {test_case_name: ''}",
            "rules[0]: expected a name, got an empty text",
        );
        check_rule(
            "!PassingTestCaseRule {test_case: a}",
            "rules[0]: unknown field `test_case`, expected one of `test_case_name`, `scenario`, `valid_since`, `valid_until`",
        );
        check_rule(
            "a",
            "rules[0]: unknown variant `a`, expected `PassingTestCaseRule` or `RemoteRule`",
        );
        let null = "decision_context: c\nrules:\n- !PassingTestCaseRule {test_case_name: a, scenario: null}\n";
        check(null, "gating.yaml @ * @ c: a");
    }

    #[test]
    fn attributes_are_checked() {
        check("rules: []", "document 1: decision_contexts: no decision context is given");
        check(
            "decision_context: a\ndecision_contexts: [b]\nrules: []",
            "document 1: decision_context, decision_contexts: both are given, use one of them",
        );
        check("decision_context: a", "line 1: missing field `rules`");
        check(
            "decision_context: a\nrules: 7",
            "line 2: rules: invalid type: integer `7`, expected a sequence",
        );
        check(
            "decision_context: a\nrules: []\nproduct_version: [x]",
            "line 3: unknown field `product_version`, expected one of `id`, `product_versions`, `decision_context`, `decision_contexts`, `subject_type`, `subject_types`, `rules`, `packages`, `excluded_packages`, `relevance_key`, `relevance_value`",
        );
        check(
            "id: x\ndecision_context: a\nrules: []\nproduct_versions: x",
            "line 4: policy 'x': product_versions: invalid type: string \"x\", expected a sequence",
        );
        check("- a", "document 1: expected a policy, that is a mapping of attributes");
        check(
            "--- !SubjectType\nid: x",
            "document 1: policy 'x': expected a policy, got a document tagged !SubjectType",
        );
        check("a: [", "line 2: did not find expected node content");
        check(
            "decision_context: a\nrules: []\n---\nrules: {",
            "line 5: did not find expected node content",
        );
    }

    #[test]
    fn the_server_says_everything() {
        check_server(USUAL, "document 1: id: the attribute is missing");
        check_server(
            "id: x\nproduct_versions: ['*']\ndecision_context: a\nrules: []",
            "document 1: policy 'x': subject_type: the attribute is missing",
        );
        let whole = "id: x\nproduct_versions: ['*']\ndecision_context: a\nsubject_type: koji_build\nrules: []";
        check_server(whole, "x @ * @ a: ");
    }

    fn check_packages(scope: &str, package: &str, expected: bool) {
        let yaml = format!("decision_context: c\nrules: []\n{scope}");
        let policies = read_gating_yaml(&yaml).unwrap();
        let artifact = match package.contains('/') {
            true => format!("{package}#f44"),
            false => format!("rpms/{package}#f44"),
        };
        let found = policies_for(&policies, &artifact.parse().unwrap());
        assert_eq!(!found.is_empty(), expected, "{scope} {package}");
    }

    #[test]
    fn a_policy_is_for_some_packages() {
        check_packages("", "zlib", true);
        check_packages("packages: [z*, gtk]", "zlib", true);
        check_packages("packages: [z*, gtk]", "libpng", false);
        check_packages("packages: [z*]\nexcluded_packages: [zlib]", "zlib", false);
        check_packages("subject_type: bodhi_update", "zlib", false);
        check_packages("subject_types: [bodhi_update, brew-build]", "zlib", true);
        check_packages("subject_type: koji_build", "containers/zlib", false);
        check_packages("subject_type: redhat-container-image", "containers/zlib", true);
        check_packages("subject_type: compose", "composes/server", true);
    }

    #[test]
    fn lint_finds_every_problem() {
        let yaml = "id: x\ndecision_context: c\nproduct_versions: []\nrules: []\n---\nid: x\nrules: []\n---
id: x\ndecision_context: c\nrules:\n- !PassingTestCaseRule {test_case_name: a}\n- !PassingTestCaseRule {test_case_name: a}\n";
        let problems: Vec<String> = lint(yaml).iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "document 1: policy 'x': rules: the list is empty, so nothing is required",
                "document 1: policy 'x': product_versions: the list is empty, so the policy is never in force",
                "document 2: policy 'x': decision_contexts: no decision context is given",
                "document 3: policy 'x': rules[1]: a is required twice",
                "document 3: policy 'x': id: another policy is called 'x'",
            ]
        );
        assert!(lint(USUAL).is_empty());
        assert_eq!(lint("").len(), 1);
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(text in "(- |!Policy |!PassingTestCaseRule |rules|id|: |\\{|\\}|\\[|\\]|\n|---\n|  |&a|\\*a|'|\"|x|\\PC){0,24}") {
            let read = read_gating_yaml(&text);
            prop_assert!(read.is_ok() || !lint(&text).is_empty());
        }
    }
}
