//! `cargo xtask tidy`: one rule in each file, named like the rule; then figures that nobody enforces.

mod opening;

mod file_length;
mod function_length;

mod documented;
mod exceptions;

mod ambient;
mod output;

mod crate_rules;
mod workspace;

mod names;

mod migrations;
mod unfinished;

mod home_paths;
mod lock_size;

mod figures;

use std::fmt;
use std::path::Path;

use crate::tree::Tree;

/// A rule: what a tree has that it should not have.
type Rule = fn(&Tree) -> Vec<Violation>;

/// The rules by their names, which are also the names of their files.
const RULES: &[(&str, Rule)] = &[
    ("opening", opening::check),
    ("file_length", file_length::check),
    ("function_length", function_length::check),
    ("documented", documented::check),
    ("exceptions", exceptions::check),
    ("ambient", ambient::check),
    ("output", output::check),
    ("crate_rules", crate_rules::check),
    ("workspace", workspace::check),
    ("names", names::check),
    ("migrations", migrations::check),
    ("unfinished", unfinished::check),
    ("home_paths", home_paths::check),
    ("lock_size", lock_size::check),
];

/// A broken rule at a place, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    /// Counted from one.
    line: usize,
    message: String,
}

impl Violation {
    /// At a line counted from zero, as the rules count.
    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: line + 1, message: message.into() }
    }
}

/// As an editor's list of errors wants it: the rule's name stands between place and message.
struct Line<'a>(&'a str, &'a Violation);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(rule, Violation { path, line, message }) = self;
        write!(f, "{path}:{line}: {rule}: {message}")
    }
}

/// Checks every rule, prints what is broken and the figures; whether all rules hold.
pub(crate) fn run(root: &Path) -> bool {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: could not list the files of {}: {error}", root.display());
            return false;
        }
    };
    let mut broken = 0;
    for (rule, check) in RULES {
        let mut violations = check(&tree);
        violations.sort();
        broken += violations.len();
        for violation in &violations {
            println!("{}", Line(rule, violation));
        }
    }
    println!("{}", figures::report(&tree));
    println!("tidy: {} files, {} rules, {broken} violations", tree.files.len(), RULES.len());
    broken == 0
}

/// The value below or at which 95 of 100 lie. The values need not be sorted; none give 0.
fn percentile_95(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    let rank = (values.len() * 95).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Line, Rule, Violation, percentile_95};
    use crate::tree::Tree;

    /// Holds a rule against files (path, text); each violation is written `path:line: message`, and
    /// the expected ones give the beginning of it.
    #[track_caller]
    pub(super) fn check(rule: Rule, files: &[(&str, &str)], expected: &[&str]) {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let mut violations = rule(&Tree::of(owned.collect()));
        violations.sort();
        let found: Vec<_> =
            violations.iter().map(|v| format!("{}:{}: {}", v.path, v.line, v.message)).collect();
        let as_expected = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, start)| found.starts_with(start));
        assert!(as_expected, "found {found:#?}\nexpected {expected:#?}");
    }

    #[test]
    fn a_violation_names_place_rule_and_message() {
        let violation = Violation::at("a.rs", 0, "is long; split it");
        assert_eq!(
            Line("file_length", &violation).to_string(),
            "a.rs:1: file_length: is long; split it"
        );
    }

    #[test]
    fn the_percentile_is_a_value_of_the_list() {
        assert_eq!(percentile_95(vec![]), 0);
        assert_eq!(percentile_95(vec![7]), 7);
        assert_eq!(percentile_95((1..=100).rev().collect()), 95);
        assert_eq!(percentile_95((1..=20).collect()), 19);
    }
}
