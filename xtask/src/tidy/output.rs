//! Only the command line prints and exits; everybody else returns a value or logs with `tracing`.

use super::Violation;
use super::ambient::COMMAND_LINES;
use crate::source::{Source, has_word};
use crate::tree::Tree;

const PRINTS: &[&str] = &[
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "io::stdout",
    "io::stderr",
    "process::exit",
    "process::abort",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let is_command_line = |path: &str| COMMAND_LINES.iter().any(|folder| path.starts_with(folder));
    let quiet = tree.rust.iter().filter(|source| !is_command_line(&source.path));
    quiet.flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Violation> {
    let found = source.production().filter_map(|(line, code)| {
        let name = PRINTS.iter().find(|name| has_word(code, name))?;
        let message =
            format!("`{name}`: only the command line prints and exits; return it or log it");
        Some(Violation::at(&source.path, line, message))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn libraries_are_quiet() {
        let loud = "fn a() {\n    eprintln!(\"a\");\n    std::process::exit(1);\n}";
        check(rule, &[("crates/cli/src/a.rs", loud), ("xtask/src/a.rs", loud)], &[]);
        let both =
            ["crates/store/src/a.rs:2: `eprintln!`", "crates/store/src/a.rs:3: `process::exit`"];
        check(rule, &[("crates/store/src/a.rs", loud)], &both);
        check(rule, &[("crates/store/benches/a.rs", loud)], &[]);
        check(rule, &[("crates/store/src/a.rs", "// println!\nwriteln!(f, \"print!\")")], &[]);
    }
}
