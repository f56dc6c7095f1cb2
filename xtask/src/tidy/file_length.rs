//! Without its tests a file has 600 lines at most, and 95 of 100 files have 400 at most.

use super::{Violation, percentile_95};
use crate::tree::Tree;

const MOST: usize = 600;
const MOST_P95: usize = 400;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let lengths =
        tree.rust.iter().map(|source| (source.path.as_str(), source.production().count()));
    // A file of tests has no length here, and would make the others look shorter than they are.
    let lengths: Vec<_> = lengths.filter(|(_, length)| *length > 0).collect();
    let p95 = percentile_95(lengths.iter().map(|(_, length)| *length).collect());
    let mut violations = Vec::new();
    for (path, length) in lengths {
        if length > MOST {
            let message = format!("{length} lines without tests, at most {MOST}: split it");
            violations.push(Violation::at(path, 0, message));
        } else if p95 > MOST_P95 && length >= p95 {
            let message = format!(
                "{length} lines without tests; 95 of 100 files may have at most {MOST_P95} and have \
                 {p95}: split this one or another of the long ones"
            );
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
    fn a_file_has_an_end() {
        let (longest, too_long) = ("a;\n".repeat(400), "a;\n".repeat(601));
        check(rule, &[("a.rs", &longest)], &[]);
        check(rule, &[("a.rs", &too_long)], &["a.rs:1: 601 lines without tests, at most 600"]);
        check(rule, &[("crates/x/tests/a.rs", &too_long)], &[]);
    }

    #[test]
    fn tests_do_not_count() {
        let inside = format!("a;\n#[cfg(test)]\nmod tests {{\n{}}}\n", "a;\n".repeat(700));
        check(rule, &[("a.rs", &inside)], &[]);
        let beside = "a;\n".repeat(700);
        check(rule, &[("src/g.rs", "#[cfg(test)]\nmod t;"), ("src/g/t.rs", &beside)], &[]);
    }

    #[test]
    fn most_files_are_shorter() {
        let long = "a;\n".repeat(401);
        check(
            rule,
            &[("a.rs", &long), ("b.rs", "b;")],
            &["a.rs:1: 401 lines without tests; 95 of"],
        );
        let short: Vec<_> = (0..19).map(|number| format!("s{number}.rs")).collect();
        let mut files: Vec<_> = short.iter().map(|path| (path.as_str(), "b;")).collect();
        files.push(("a.rs", &long));
        check(rule, &files, &[]);
    }
}
