//! The floor policy: what every artifact must pass, whatever its own gating.yaml says.

use model::gate::{Policy, Rule};

use crate::config::Config;
use crate::context::StartError;

/// Reads the configured floor; without one, the default test cases of the kind are required.
pub(crate) fn read(config: &Config) -> Result<Vec<Policy>, StartError> {
    let Some(path) = &config.floor_policy else { return Ok(vec![default()]) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| StartError::File { path: path.clone(), error })?;
    let policies = pipeline::gate::policy::read_server_policies(&text).map_err(|problem| {
        StartError::Policy { path: path.clone(), problem: problem.to_string() }
    })?;
    Ok(policies.into_iter().map(|scoped| scoped.policy).collect())
}

fn default() -> Policy {
    use adapters::testing::{CONFLICTS, INSTALLS, LIBRARIES};
    let rule = |case: &str| Rule::PassingTestCase { test_case: case.to_owned() };
    Policy {
        id: "floor".to_owned(),
        product_versions: vec!["*".to_owned()],
        decision_contexts: vec!["millstream".to_owned()],
        rules: [INSTALLS, LIBRARIES, CONFLICTS].into_iter().map(rule).collect(),
    }
}
