//! One version of each dependency, in the root `Cargo.toml`, with the reason it is there; none unused.

use std::collections::BTreeSet;

use super::Violation;
use crate::manifest::{Dependency, Section, dependencies, is_member};
use crate::tree::Tree;

const ROOT: &str = "Cargo.toml";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(root) = tree.files.get(ROOT) else { return Vec::new() };
    let members = tree.files.iter().filter(|(path, text)| is_member(path, text));
    let (mut violations, mut used) = (Vec::new(), BTreeSet::new());
    for (path, text) in members {
        for dependency in dependencies(text) {
            if dependency.is_inherited() {
                used.insert(dependency.key);
            } else if !dependency.is_path() {
                let message = format!(
                    "declare `{}` in the root's [workspace.dependencies] and use it with `workspace = true`",
                    dependency.key
                );
                violations.push(Violation::at(path, dependency.line, message));
            }
        }
    }
    for dependency in dependencies(root) {
        if dependency.section == Section::Workspace {
            violations.extend(check_entry(&dependency, root, &used));
        }
    }
    violations
}

fn check_entry(entry: &Dependency, root: &str, used: &BTreeSet<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    // What our own crates are for stands in their own manifests.
    if !entry.is_path() && !has_reason(entry, root) {
        let message = format!("say why `{}` is there: `# …` behind the entry", entry.key);
        violations.push(Violation::at(ROOT, entry.line, message));
    }
    if !used.contains(&entry.key) {
        let message = format!("no crate uses `{}`: remove it", entry.key);
        violations.push(Violation::at(ROOT, entry.line, message));
    }
    violations
}

/// Whether a comment stands in the entry, or on the line above it. A line `# --- …` heads a group.
fn has_reason(entry: &Dependency, root: &str) -> bool {
    let reason = |line: &str| line.split_once('#').is_some_and(|(_, text)| text.trim().len() > 2);
    let above = entry.line.checked_sub(1).and_then(|line| root.lines().nth(line)).unwrap_or("");
    let above = above.trim();
    entry.entry.lines().any(reason)
        || above.starts_with('#') && !above.starts_with("# ---") && reason(above)
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[track_caller]
    fn check_both(root: &str, member: &str, expected: &[&str]) {
        let root = format!("[workspace.dependencies]\n{root}");
        check(rule, &[("Cargo.toml", &root), ("crates/x/Cargo.toml", member)], expected);
    }

    #[test]
    fn each_has_a_reason() {
        let member = "[dependencies]\na.workspace = true";
        check_both("a = \"1\" # reads a", member, &[]);
        check_both("# Reads a.\na = { features = [\n\"b\",\n] }", member, &[]);
        check_both("a = \"1\"", member, &["Cargo.toml:2: say why `a`"]);
        check_both("# --- data\na = \"1\"", member, &["Cargo.toml:3: say why `a`"]);
        check_both("a = { path = \"crates/a\" }", member, &[]);
    }

    #[test]
    fn each_is_used() {
        check_both("a = \"1\" # reads a", "", &["Cargo.toml:2: no crate uses `a`"]);
        check_both("a = \"1\" # reads a", "[dependencies.a]\nworkspace = true", &[]);
    }

    #[test]
    fn versions_stand_in_the_root() {
        let expected = ["crates/x/Cargo.toml:2: declare `a`"];
        check_both("", "[dev-dependencies]\na = { version = \"1\" }", &expected);
        check_both("", "[dev-dependencies]\na = { path = \".\" }", &[]);
    }
}
