//! Greenwave's policies as they are written: the shapes YAML is read into.
//!
//! The reader of YAML knows the line only while it reads, so whatever is wrong with a value is raised here, from inside.

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A policy document. Which attributes must be there depends on where the document lies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a policy with its attributes")]
pub(super) struct Document {
    pub(super) id: Option<String>,
    pub(super) product_versions: Option<Vec<String>>,
    pub(super) decision_context: Option<String>,
    #[serde(default)]
    pub(super) decision_contexts: Vec<String>,
    pub(super) subject_type: Option<String>,
    #[serde(default)]
    pub(super) subject_types: Vec<String>,
    pub(super) rules: Vec<WireRule>,
    #[serde(default)]
    pub(super) packages: Vec<String>,
    #[serde(default)]
    pub(super) excluded_packages: Vec<String>,
    /// Greenwave ignores these two, and so do we.
    #[serde(default, rename = "relevance_key")]
    _relevance_key: IgnoredAny,
    #[serde(default, rename = "relevance_value")]
    _relevance_value: IgnoredAny,
}

/// A rule, by its YAML tag.
#[derive(Debug, Deserialize)]
pub(super) enum WireRule {
    PassingTestCaseRule(PassingTestCase),
    RemoteRule(RemoteRule),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule with its attributes")]
pub(super) struct PassingTestCase {
    #[serde(deserialize_with = "filled")]
    pub(super) test_case_name: String,
    #[serde(default, rename = "scenario", deserialize_with = "refuse_scenario")]
    _scenario: (),
    #[serde(default, rename = "valid_since", deserialize_with = "refuse_dates")]
    _valid_since: (),
    #[serde(default, rename = "valid_until", deserialize_with = "refuse_dates")]
    _valid_until: (),
}

/// Refused wherever it stands, with its line: a rule that was skipped would open a gate.
#[derive(Debug)]
pub(super) struct RemoteRule;

impl<'de> Deserialize<'de> for RemoteRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(D::Error::custom(
            "!RemoteRule is not supported: an artifact's own gating.yaml is always asked",
        ))
    }
}

fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        Err(D::Error::custom("expected a name, got an empty text"))
    } else {
        Ok(text)
    }
}

/// A scenario that is written as null is none.
fn refuse_scenario<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    refuse(deserializer, "scenarios are not supported: name a test case for each")
}

fn refuse_dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    refuse(
        deserializer,
        "dates of validity are not supported: change the policy on the day instead",
    )
}

fn refuse<'de, D: Deserializer<'de>>(deserializer: D, why: &str) -> Result<(), D::Error> {
    match Option::<IgnoredAny>::deserialize(deserializer)? {
        None => Ok(()),
        Some(_) => Err(D::Error::custom(why)),
    }
}
