//! Which test cases some policies require on a branch.

use model::artifact::BranchName;
use model::gate::{Policy, Rule};

use super::glob;

/// The test cases that the policies in force on `branch` require, each once, in the order of the policies.
///
/// `context` is the decision context that is asked; with none, every policy counts.
pub fn required_cases<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    branch: &BranchName,
    context: Option<&str>,
) -> Vec<String> {
    let mut cases = Vec::new();
    for policy in policies.into_iter().filter(|policy| is_in_force(policy, branch, context)) {
        for Rule::PassingTestCase { test_case } in &policy.rules {
            if !cases.contains(test_case) {
                cases.push(test_case.clone());
            }
        }
    }
    cases
}

/// Whether a policy is for this branch and decision context.
pub(super) fn is_in_force(policy: &Policy, branch: &BranchName, context: Option<&str>) -> bool {
    let versions = product_versions(branch.as_str());
    let is_for = |glob: &String| versions.iter().any(|version| glob::matches(glob, version));
    policy.product_versions.iter().any(is_for)
        && context.is_none_or(|asked| policy.decision_contexts.iter().any(|own| own == asked))
}

/// The product versions a branch stands for: its own name, and the one Fedora's policies know it by.
///
/// `f44` is `fedora-44`, `epel9` is `epel-9`, `rawhide` is `fedora-rawhide`, as in Bodhi and Koji's targets.
fn product_versions(branch: &str) -> Vec<String> {
    let numbered = |prefix: &str, product: &str| {
        let number = branch.strip_prefix(prefix)?;
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        is_number.then(|| format!("{product}-{number}"))
    };
    let rawhide = (branch == "rawhide").then(|| "fedora-rawhide".to_owned());
    let known = [numbered("f", "fedora"), numbered("epel", "epel"), rawhide];
    std::iter::once(branch.to_owned()).chain(known.into_iter().flatten()).collect()
}
