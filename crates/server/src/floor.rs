//! The floor policy: what every artifact must pass, whatever its own gating.yaml says.

use model::gate::{Policy, Rule};
use pipeline::gate::policy::ScopedPolicy;

use crate::config::Config;
use crate::context::StartError;

/// Reads the configured floor; without one, the default test cases of the kind are required.
pub(crate) fn read(config: &Config) -> Result<Vec<ScopedPolicy>, StartError> {
    let Some(path) = &config.floor_policy else { return Ok(default()) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| StartError::File { path: path.clone(), error })?;
    pipeline::gate::policy::read_server_policies(&text)
        .map_err(|problem| StartError::Policy { path: path.clone(), problem: problem.to_string() })
}

/// One policy for each kind of artifact.
fn default() -> Vec<ScopedPolicy> {
    use adapters::testing::{CONFLICTS, INSTALLS, LIBRARIES};
    use adapters::{compose, image};
    let image_cases =
        [image::testing::VALID, image::testing::PACKAGES, LIBRARIES, image::testing::STARTS];
    vec![
        policy("koji_build", &[INSTALLS, LIBRARIES, CONFLICTS]),
        policy("container", &image_cases),
        policy("compose", &[compose::METADATA, compose::CLOSURE, compose::COMPS]),
    ]
}

fn policy(subject: &str, cases: &[&str]) -> ScopedPolicy {
    let rule = |case: &&str| Rule::PassingTestCase { test_case: (*case).to_owned() };
    ScopedPolicy {
        policy: Policy {
            id: format!("floor-{subject}"),
            product_versions: vec!["*".to_owned()],
            decision_contexts: vec!["millstream".to_owned()],
            rules: cases.iter().map(rule).collect(),
        },
        subject_types: vec![subject.to_owned()],
        packages: Vec::new(),
        excluded_packages: Vec::new(),
    }
}
