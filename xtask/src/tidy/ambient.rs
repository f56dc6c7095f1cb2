//! Clock and randomness are read in one file, the environment in the command line only.
//!
//! Clippy's `disallowed_methods` knows some of these too; an `expect` there silences clippy, not this.

use super::Violation;
use crate::source::{Source, has_word};
use crate::tree::Tree;

const CLOCK_FILE: &str = "crates/server/src/clock.rs";
/// The crates that are a command line: they read arguments and environment.
pub(super) const COMMAND_LINES: &[&str] = &["crates/cli/", "xtask/"];

const CLOCK: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Utc::now",
    "Local::now",
    "UNIX_EPOCH.elapsed",
];
const RANDOMNESS: &[&str] =
    &["new_v4", "now_v7", "thread_rng", "rand::", "fastrand::", "getrandom::", "RandomState::new"];
const ENVIRONMENT: &[&str] = &[
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::set_var",
    "env::remove_var",
    "env::home_dir",
    "env::current_dir",
    "env::set_current_dir",
    "env::args",
    "env::args_os",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Violation> {
    let is_clock = source.path == CLOCK_FILE;
    let is_command_line = COMMAND_LINES.iter().any(|folder| source.path.starts_with(folder));
    // A phase of `cargo xtask ci` is timed; the command line takes its times from the server.
    let is_stopwatch = source.path.starts_with("xtask/");
    let kinds = [
        (CLOCK, is_clock || is_stopwatch, "take the time from a `Clock`"),
        (RANDOMNESS, is_clock, "let server/clock.rs mint it and pass it on"),
        (ENVIRONMENT, is_command_line, "let the command line read it and pass it on"),
    ];
    let mut violations = Vec::new();
    for (line, code) in source.production() {
        for (names, _, advice) in kinds.iter().filter(|(_, may, _)| !may) {
            if let Some(name) = names.iter().find(|name| has_word(code, name)) {
                let message =
                    format!("`{name}` makes the answer depend on when and where: {advice}");
                violations.push(Violation::at(&source.path, line, message));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn ambient_things_have_one_place() {
        let clock = "fn now() { SystemTime::now(); Uuid::now_v7(); }";
        check(rule, &[("crates/server/src/clock.rs", clock)], &[]);
        let both = [
            "crates/model/src/clock.rs:1: `SystemTime::now`",
            "crates/model/src/clock.rs:1: `now_v7`",
        ];
        check(rule, &[("crates/model/src/clock.rs", clock)], &both);
        check(
            rule,
            &[("crates/cli/src/a.rs", "Instant::now()")],
            &["crates/cli/src/a.rs:1: `Instant"],
        );
        check(rule, &[("xtask/src/a.rs", "Instant::now(); env::args()")], &[]);
        let environment = "use std::env;\nenv::var_os(\"HOME\")";
        check(rule, &[("crates/cli/src/a.rs", environment)], &[]);
        check(
            rule,
            &[("crates/store/src/a.rs", environment)],
            &["crates/store/src/a.rs:2: `env::var_os`"],
        );
    }

    #[test]
    fn tests_texts_and_longer_names_are_left_alone() {
        let text = "// SystemTime::now\nf(\"env::var\"); strand::a();\n#[cfg(test)]\nfn t() { env::var(); }";
        check(rule, &[("crates/store/src/a.rs", text)], &[]);
    }
}
