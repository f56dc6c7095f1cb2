//! Nothing unfinished is committed: no `todo!`, no marks to come back to.

use super::Violation;
use crate::source::{Source, has_word};
use crate::tree::Tree;

const MACROS: &[&str] = &["todo!", "unimplemented!"];
const MARKS: &[&str] = &["FIXME", "XXX"];
/// Sources that are not Rust; texts for readers may speak of these words.
const SOURCES: &[&str] =
    &["sh", "sql", "toml", "yaml", "yml", "py", "c", "h", "spec", "html", "js"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations: Vec<_> = tree.rust.iter().flat_map(check_rust).collect();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_source(path)) {
        let lines = text.lines().map(|line| find(line, MARKS));
        violations.extend(report(path, lines));
    }
    violations
}

fn check_rust(source: &Source) -> Vec<Violation> {
    let lines = source.code.iter().zip(&source.comments);
    report(&source.path, lines.map(|(code, comment)| find(code, MACROS).or(find(comment, MARKS))))
}

fn find(line: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().find(|word| has_word(line, word)).copied()
}

fn report(path: &str, lines: impl Iterator<Item = Option<&'static str>>) -> Vec<Violation> {
    let found = lines.enumerate().filter_map(|(line, word)| Some((line, word?)));
    let message = |word| format!("`{word}`: finish it, or write in the docs what is missing");
    found.map(|(line, word)| Violation::at(path, line, message(word))).collect()
}

/// Going by the ending; a script without one lies in a folder of scripts.
fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, ending)) => SOURCES.contains(&ending),
        None => name == "Makefile" || path.starts_with("scripts/") || path.starts_with(".ci/"),
    }
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn nothing_is_left_for_later() {
        check(rule, &[("a.rs", "fn a() {\n    todo!()\n}")], &["a.rs:2: `todo!`"]);
        check(
            rule,
            &[("a.rs", "// FIXME: later\nf(); // XXX")],
            &["a.rs:1: `FIXME`", "a.rs:2: `XXX`"],
        );
        check(rule, &[("scripts/demo", "# FIXME")], &["scripts/demo:1: `FIXME`"]);
        check(rule, &[("a.sql", "select 1; -- XXX")], &["a.sql:1: `XXX`"]);
    }

    #[test]
    fn the_words_may_be_spoken_of() {
        check(rule, &[("a.rs", "// not `todo!`\nf(\"FIXME todo!\");")], &[]);
        check(rule, &[("a.sh", "mktemp a.XXXXXX"), ("a.md", "no FIXME here")], &[]);
    }
}
