//! What `millstream demo --json` prints, as far as it is looked at here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Report {
    pub(crate) as_expected: bool,
    pub(crate) pushes: Vec<Push>,
}

#[derive(Deserialize)]
pub(crate) struct Push {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) differences: Vec<String>,
    pub(crate) checks: Vec<Check>,
    pub(crate) proof: Option<Proof>,
}

#[derive(Deserialize)]
pub(crate) struct Outcome {
    pub(crate) rebuilt: BTreeMap<String, String>,
    pub(crate) retested: BTreeSet<String>,
    pub(crate) unneeded: BTreeSet<String>,
    pub(crate) waiting: BTreeMap<String, Waiting>,
    pub(crate) held: BTreeMap<String, Vec<Objected>>,
    pub(crate) failed: BTreeMap<String, String>,
    pub(crate) rejected: BTreeMap<String, Place>,
    pub(crate) composes: BTreeMap<String, Composed>,
}

#[derive(Deserialize)]
pub(crate) struct Composed {
    pub(crate) reused: BTreeSet<String>,
    pub(crate) made: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(crate) struct Waiting {
    pub(crate) waits_for: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(crate) struct Objected {
    pub(crate) artifact: String,
    pub(crate) case: String,
}

#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
}

#[derive(Deserialize)]
pub(crate) struct Check {
    pub(crate) generation: i64,
    pub(crate) passed: bool,
    pub(crate) said: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Proof {
    pub(crate) bumped: BTreeSet<String>,
    pub(crate) renewed: BTreeSet<String>,
    pub(crate) known: BTreeSet<String>,
    pub(crate) differing: BTreeMap<String, Vec<String>>,
}
