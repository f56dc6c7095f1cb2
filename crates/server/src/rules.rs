//! The rules in force: those that are shipped, and the files of the configured folder.

use std::path::Path;

use pipeline::rules::file::{self, RuleProblem};
use pipeline::rules::{Rule, RuleSet, shipped};

/// Reads the rules. A file with the id of a shipped rule takes its place.
///
/// # Errors
/// Everything that is wrong with the files.
pub(crate) fn read(folder: Option<&Path>) -> Result<RuleSet, Vec<RuleProblem>> {
    let mut rules = shipped::rules()?;
    if let Some(folder) = folder {
        rules.extend(read_folder(folder)?);
    }
    Ok(RuleSet::of(rules))
}

/// Reads the files of a folder whose names end in `.yaml`, by name.
///
/// # Errors
/// Everything that is wrong with them, and whatever else lies there that was meant to be a rule.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Rule>, Vec<RuleProblem>> {
    let problem = |path: &Path, message: String| RuleProblem {
        file: path.display().to_string(),
        line: None,
        message,
    };
    let unreadable =
        |path: &Path, error: std::io::Error| problem(path, format!("could not be read: {error}"));
    let entries = std::fs::read_dir(folder).map_err(|error| vec![unreadable(folder, error)])?;
    let (mut rules, mut problems, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        paths.push(entry.map_err(|error| vec![unreadable(folder, error)])?.path());
    }
    paths.sort();
    for path in paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => {}
            Some("yml") => {
                problems.push(problem(&path, "the name of a rule file ends in .yaml".to_owned()));
                continue;
            }
            _ => continue,
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => match file::read(&path.display().to_string(), &text) {
                Ok(rule) => rules.push(rule),
                Err(found) => problems.extend(found),
            },
            Err(error) => problems.push(unreadable(&path, error)),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}
