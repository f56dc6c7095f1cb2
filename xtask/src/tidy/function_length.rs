//! 95 of 100 functions have 45 lines of code at most. (That none has more than 70 is clippy's to say.)

use super::{Violation, percentile_95};
use crate::tree::Tree;

const MOST_P95: usize = 45;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let functions: Vec<_> = tree
        .rust
        .iter()
        .flat_map(|source| source.functions().into_iter().map(|f| (source.path.as_str(), f)))
        .collect();
    let p95 = percentile_95(functions.iter().map(|(_, function)| function.length).collect());
    if p95 <= MOST_P95 {
        return Vec::new();
    }
    let long = functions.into_iter().filter(|(_, function)| function.length >= p95);
    let name_it = |(path, function): (&str, crate::source::Function)| {
        let (name, length) = (function.name, function.length);
        let message = format!(
            "`{name}` has {length} lines; 95 of 100 functions may have at most {MOST_P95} and have \
             {p95}: split this one or another of the long ones"
        );
        Violation::at(path, function.line, message)
    };
    long.map(name_it).collect()
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    a();\n".repeat(lines))
    }

    #[test]
    fn long_functions_are_few() {
        check(rule, &[("a.rs", &function("a", 45))], &[]);
        let one_long = function("short", 1) + &function("long", 46);
        check(rule, &[("a.rs", &one_long)], &["a.rs:4: `long` has 46 lines"]);
        let many_short = function("short", 1).repeat(19) + &function("long", 46);
        check(rule, &[("a.rs", &many_short)], &[]);
        check(rule, &[("crates/x/benches/a.rs", &function("bench", 60))], &[]);
    }
}
