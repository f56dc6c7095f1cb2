//! An exception from a lint is `#[expect(…, reason = "…")]`: it says why, and it fails once it is not needed.

use super::Violation;
use crate::source::Source;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (line, code) in source.code.iter().enumerate() {
        let attribute = code.trim_start();
        if !attribute.starts_with("#[") && !attribute.starts_with("#![") {
            continue;
        }
        let text = whole_attribute(source, line);
        if text.contains("[allow(") || text.contains("cfg_attr(") && text.contains(",allow(") {
            let message = "`allow` outlives its cause: use `#[expect(…, reason = \"…\")]`";
            violations.push(Violation::at(&source.path, line, message));
        } else if text.contains("[expect(") && !text.contains("reason=") {
            let message = "say why the lint is wrong here: add `reason = \"…\"`";
            violations.push(Violation::at(&source.path, line, message));
        }
    }
    violations
}

/// The attribute that starts on a line, up to the line that closes it, without spaces.
fn whole_attribute(source: &Source, line: usize) -> String {
    let mut text = String::new();
    for code in &source.code[line..] {
        text.extend(code.chars().filter(|c| !c.is_whitespace()));
        if text.matches('[').count() <= text.matches(']').count() {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[test]
    fn an_exception_has_a_reason() {
        check(rule, &[("a.rs", "#[expect(\n    a,\n    reason = \"b\"\n)]\nfn a() {}")], &[]);
        check(rule, &[("a.rs", "#[expect(a)]\n#[x(reason = \"b\")]")], &["a.rs:1: say why"]);
        check(rule, &[("a.rs", "// one\n#[allow(a)]")], &["a.rs:2: `allow`"]);
        check(rule, &[("a.rs", "#![allow(a, reason = \"b\")]")], &["a.rs:1: `allow`"]);
        check(rule, &[("a.rs", "#[cfg_attr(b, allow(a))]")], &["a.rs:1: `allow`"]);
        check(rule, &[("a.rs", "// #[allow(a)]\nf(\"#[allow(a)]\"); x.allow(b);")], &[]);
    }
}
