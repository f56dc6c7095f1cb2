//! Every Rust file opens with one `//!` line that says what it is for.

use super::Violation;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let silent = tree.rust.iter().filter(|source| {
        let first = source.raw.first().and_then(|line| line.strip_prefix("//!"));
        first.is_none_or(|text| text.trim().is_empty())
    });
    let message = "open the file with a `//!` line that says what it is for";
    silent.map(|source| Violation::at(&source.path, 0, message)).collect()
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn the_first_line_says_what_a_file_is_for() {
        check(rule, &[("a.rs", "//! Says it.\nfn a() {}")], &[]);
        check(rule, &[("a.rs", "\n//! Late.")], &["a.rs:1: open the file"]);
        check(rule, &[("a.rs", "//!\n//! Empty first.")], &["a.rs:1: open the file"]);
        check(rule, &[("a.rs", "")], &["a.rs:1: open the file"]);
        check(rule, &[("a.md", "text")], &[]);
    }
}
