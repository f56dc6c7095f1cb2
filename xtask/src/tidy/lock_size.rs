//! All dependencies together are at most 350 crates.

use super::Violation;
use crate::tree::Tree;

const LOCK: &str = "Cargo.lock";
const MOST: usize = 350;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let crates = crates(tree);
    if crates <= MOST {
        return Vec::new();
    }
    let message = format!(
        "{crates} crates, at most {MOST}: `cargo tree` shows which dependency brings how many"
    );
    vec![Violation::at(LOCK, 0, message)]
}

/// How many crates are locked, ours included.
pub(super) fn crates(tree: &Tree) -> usize {
    let lock = tree.files.get(LOCK).map_or("", String::as_str);
    lock.lines().filter(|line| *line == "[[package]]").count()
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn the_lock_has_an_end() {
        check(rule, &[("Cargo.lock", &"[[package]]\nname = \"a\"\n".repeat(350))], &[]);
        let expected = ["Cargo.lock:1: 351 crates, at most 350"];
        check(rule, &[("Cargo.lock", &"[[package]]\nname = \"a\"\n".repeat(351))], &expected);
    }
}
