//! No file names a folder of somebody's home: it works on one machine only and says whose.

use super::Violation;
use crate::tree::Tree;

/// Files that may name one, the text they may name it with, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("xtask/src/tidy/home_paths.rs", "/", "the rule and its tests speak of such paths"),
    ("docs/", "/root/", "where the documents say what an isolated root shows of the host"),
    ("ARCHITECTURE.md", "/root/", "the same"),
    ("crates/adapters/", "/root/", "tests that a build does not see root's home folder"),
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in &tree.files {
        for (line, content) in text.lines().enumerate() {
            let homes = homes(content);
            for home in homes.into_iter().filter(|home| !is_allowed(path, home)) {
                let message = format!(
                    "`{home}` is a home folder: make the path relative or let the caller give it \
                     (exceptions with a reason: xtask/src/tidy/home_paths.rs)"
                );
                violations.push(Violation::at(path, line, message));
            }
        }
    }
    violations
}

fn is_allowed(path: &str, home: &str) -> bool {
    ALLOWED.iter().any(|(place, text, _)| path.starts_with(place) && home.starts_with(text))
}

/// The home folders a line names: `/root/`, `/home/NAME/`, `/Users/NAME/`.
fn homes(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (start, names_user) in [("/root/", false), ("/home/", true), ("/Users/", true)] {
        for (at, _) in line.match_indices(start).filter(|(at, _)| starts_path(&line[..*at])) {
            let rest = &line[at + start.len()..];
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let name = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            if !names_user {
                found.push(&line[at..at + start.len()]);
            } else if name > 0 && rest[name..].starts_with('/') {
                found.push(&line[at..=at + start.len() + name]);
            }
        }
    }
    found
}

/// Whether a slash after this text begins an absolute path, and does not go on with another one,
/// such as `$folder/root/`, `"$folder"/root/` or `{folder}/root/`.
fn starts_path(before: &str) -> bool {
    let goes_on =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')' | '/' | '*');
    let mut back = before.chars().rev();
    match back.next() {
        Some('"' | '\'' | '`') => !back.next().is_some_and(goes_on),
        last => !last.is_some_and(goes_on),
    }
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn homes_are_named_nowhere() {
        check(rule, &[("a.toml", "\n path = \"/home/ada/x\"")], &["a.toml:2: `/home/ada/`"]);
        check(rule, &[("a.sh", "cd /root/x")], &["a.sh:1: `/root/`"]);
        check(rule, &[("a.md", "see /Users/ada/y.")], &["a.md:1: `/Users/ada/`"]);
        check(rule, &[("docs/a.md", "a build sees /root/.netrc")], &[]);
        check(rule, &[("docs/a.md", "see /home/ada/y")], &["docs/a.md:1: `/home/ada/`"]);
    }

    #[test]
    fn other_paths_are_left_alone() {
        let text =
            "$R/root/x \"$r\"/root/x ${r}/root/ a/home/b/c /home/$USER/x /home/<name>/ /rooted/x";
        check(rule, &[("a.sh", text)], &[]);
    }
}
