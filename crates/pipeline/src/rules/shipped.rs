//! The rules Millstream ships with: without any rule of its users, these are all it does.

use std::sync::{Arc, LazyLock};

use super::file::{self, RuleProblem};
use super::{Origin, Rule, RuleSet};

macro_rules! shipped {
    ($($id:literal),* $(,)?) => {
        &[$(($id, include_str!(concat!("../../../../rules/", $id, ".yaml")))),*]
    };
}

/// Id and text of each file in `rules/`.
pub const FILES: &[(&str, &str)] = shipped![
    "compose-changed",
    "composes-follow",
    "image-changed",
    "images-follow-packages",
    "images-follow-parents",
    "package-changed",
    "packages-follow",
    "rebuild-requested",
    "retest-requested",
];

/// The shipped rules.
///
/// # Errors
/// None in a build that passed its tests.
pub fn rules() -> Result<Vec<Rule>, Vec<RuleProblem>> {
    FILES.iter().map(|(id, text)| read(id, text)).collect()
}

fn read(id: &str, text: &str) -> Result<Rule, Vec<RuleProblem>> {
    let rule = file::read(&format!("rules/{id}.yaml"), text)?;
    Ok(Rule { origin: Origin::Shipped, ..rule })
}

/// The set of the shipped rules alone.
pub fn set() -> Arc<RuleSet> {
    static SET: LazyLock<Arc<RuleSet>> =
        LazyLock::new(|| Arc::new(RuleSet::of(rules().unwrap_or_default())));
    Arc::clone(&SET)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_shipped_and_has_nothing_wrong() {
        assert_eq!(rules().map(|rules| rules.len()), Ok(FILES.len()));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        let shipped: Vec<String> = FILES.iter().map(|(id, _)| format!("{id}.yaml")).collect();
        assert_eq!(found, shipped);
    }
}
