//! A module is `foo.rs` beside `foo/`, and nothing is called by a name that holds anything.

use super::Violation;
use crate::tree::Tree;

const EMPTY_NAMES: &[&str] =
    &["common", "util", "utils", "helper", "helpers", "manager", "managers", "misc"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let paths = tree.rust.iter().map(|source| source.path.as_str());
    let manifests = tree.files.keys().filter(|path| path.ends_with("Cargo.toml"));
    for path in paths.chain(manifests.map(String::as_str)) {
        if path.ends_with("/mod.rs") {
            let message = "name it after its folder: `foo.rs` beside `foo/`";
            violations.push(Violation::at(path, 0, message));
        }
        let mut names = path.split('/').map(|name| name.split('.').next().unwrap_or(name));
        if let Some(name) = names.find(|name| EMPTY_NAMES.contains(name)) {
            let message = format!("`{name}` says nothing: name it after what it is for");
            violations.push(Violation::at(path, 0, message));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn names_say_something() {
        check(rule, &[("crates/x/src/plan.rs", ""), ("crates/x/src/plan/utility.rs", "")], &[]);
        check(rule, &[("crates/x/src/plan/mod.rs", "")], &["crates/x/src/plan/mod.rs:1: name it"]);
        check(
            rule,
            &[("crates/x/tests/common/a.rs", "")],
            &["crates/x/tests/common/a.rs:1: `common`"],
        );
        check(rule, &[("crates/x/src/utils.rs", "")], &["crates/x/src/utils.rs:1: `utils`"]);
        check(
            rule,
            &[("crates/helpers/Cargo.toml", "")],
            &["crates/helpers/Cargo.toml:1: `helpers`"],
        );
    }
}
