//! Both databases go through the same migrations: the two folders hold the same numbers, each once.

use std::collections::BTreeMap;

use super::Violation;
use crate::tree::Tree;

const FOLDERS: [&str; 2] = ["crates/store/migrations/sqlite/", "crates/store/migrations/postgres/"];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let [sqlite, postgres] = FOLDERS.map(|folder| numbers(tree, folder, &mut violations));
    let (sqlite_folder, postgres_folder) = (FOLDERS[0], FOLDERS[1]);
    for (found, wanted, folder) in
        [(&sqlite, &postgres, postgres_folder), (&postgres, &sqlite, sqlite_folder)]
    {
        for (number, path) in found.iter().filter(|(number, _)| !wanted.contains_key(*number)) {
            let message =
                format!("{folder} has no migration {number}: add it, an empty one if need be");
            violations.push(Violation::at(path, 0, message));
        }
    }
    violations
}

/// The migrations of a folder by number.
fn numbers<'a>(
    tree: &'a Tree,
    folder: &str,
    violations: &mut Vec<Violation>,
) -> BTreeMap<u64, &'a str> {
    let mut numbers = BTreeMap::new();
    for path in tree.files.keys().filter(|path| path.starts_with(folder)) {
        let name = &path[folder.len()..];
        let Some(Ok(number)) = name.split_once('_').map(|(number, _)| number.parse()) else {
            let message = "a migration is called NUMBER_what_it_does.sql";
            violations.push(Violation::at(path, 0, message));
            continue;
        };
        if let Some(other) = numbers.insert(number, path.as_str()) {
            let message = format!("{other} has the number {number} too: take the next one");
            violations.push(Violation::at(path, 0, message));
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[track_caller]
    fn check_paths(paths: &[&str], expected: &[&str]) {
        let paths: Vec<_> = paths.iter().map(|p| format!("crates/store/migrations/{p}")).collect();
        let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "")).collect();
        let expected: Vec<_> =
            expected.iter().map(|e| format!("crates/store/migrations/{e}")).collect();
        check(rule, &files, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn the_numbers_are_the_same() {
        check_paths(&["sqlite/0001_a.sql", "postgres/0001_b.sql"], &[]);
        let one_more = ["sqlite/0001_a.sql", "sqlite/0002_b.sql", "postgres/0001_a.sql"];
        check_paths(&one_more, &["sqlite/0002_b.sql:1: crates/store/migrations/postgres/ has no"]);
        check_paths(
            &["postgres/0001_a.sql"],
            &["postgres/0001_a.sql:1: crates/store/migrations/sqlite/"],
        );
    }

    #[test]
    fn a_number_is_there_and_once() {
        let twice = ["sqlite/0001_a.sql", "sqlite/0001_b.sql", "postgres/0001_a.sql"];
        check_paths(
            &twice,
            &["sqlite/0001_b.sql:1: crates/store/migrations/sqlite/0001_a.sql has"],
        );
        check_paths(&["sqlite/first.sql"], &["sqlite/first.sql:1: a migration is called"]);
    }
}
