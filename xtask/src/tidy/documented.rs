//! In the crates others build on, 95 of 100 public types, traits and functions say what they are.

use super::Violation;
use crate::source::Source;
use crate::tree::Tree;

const CRATES: &[&str] = &["model", "solver", "pipeline", "store"];
const LEAST_PERCENT: usize = 95;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    CRATES.iter().flat_map(|name| check_crate(tree, name)).collect()
}

fn check_crate(tree: &Tree, name: &str) -> Vec<Violation> {
    let folder = format!("crates/{name}/src/");
    let (mut items, mut silent) = (0, Vec::new());
    for source in tree.rust.iter().filter(|source| source.path.starts_with(&folder)) {
        for (line, code) in source.production().filter(|(_, code)| is_public_item(code)) {
            items += 1;
            if !is_documented(source, line) {
                let item = code.trim().trim_end_matches(['{', ' ']);
                let message = format!("`{item}` is public: say in a `///` line what it is");
                silent.push(Violation::at(&source.path, line, message));
            }
        }
    }
    let documented = items - silent.len();
    if documented * 100 >= items * LEAST_PERCENT { Vec::new() } else { silent }
}

/// Whether a public type, trait or function starts on this line. Fields, variants and what is public
/// in its crate only are not asked for.
pub(super) fn is_public_item(code: &str) -> bool {
    code.trim_start().strip_prefix("pub ").is_some_and(is_item)
}

/// Whether a declaration starts with these words, its visibility left out.
pub(super) fn is_item(declaration: &str) -> bool {
    let mut words = declaration.split_whitespace();
    let kind = words.find(|word| !matches!(*word, "async" | "unsafe" | "extern" | "default"));
    match kind {
        Some("struct" | "enum" | "union" | "trait" | "type" | "fn") => true,
        Some("const") => words.next() == Some("fn"),
        _ => false,
    }
}

/// Whether a documentation comment stands above the item, over its attributes.
fn is_documented(source: &Source, item: usize) -> bool {
    let mut inside_attribute = false;
    for line in (0..item).rev() {
        let code = source.code[line].trim();
        let comment = source.comments[line].trim();
        if comment.starts_with("///") || comment.ends_with("*/") || code.starts_with("#[doc") {
            return true;
        }
        if code.starts_with("#[") {
            inside_attribute = false;
        } else if code.ends_with(")]") && !inside_attribute {
            inside_attribute = true;
        } else if !inside_attribute && (!code.is_empty() || comment.is_empty()) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{check as rule, is_public_item};
    use crate::tidy::tests::check;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        check(rule, &[("crates/model/src/a.rs", text)], expected);
    }

    #[test]
    fn public_items_say_what_they_are() {
        check_text("/// A.\n#[derive(\n    Clone,\n)]\n#[serde]\npub struct A;", &[]);
        check_text("/// A.\n// Why so.\npub fn a() {}", &[]);
        check_text(
            "/// B.\nstruct B;\npub struct A {",
            &["crates/model/src/a.rs:3: `pub struct A`"],
        );
        check_text(
            "#[derive(\n    Clone,\n)]\npub async fn a()",
            &["crates/model/src/a.rs:4: `pub async"],
        );
        check_text("pub(crate) fn a() {}\npub mod b;\n#[cfg(test)]\npub fn c() {}", &[]);
        check(rule, &[("crates/cli/src/a.rs", "pub fn a() {}")], &[]);
    }

    #[test]
    fn one_in_twenty_may_be_obvious() {
        let documented = "/// A.\npub fn a() {}\n".repeat(19);
        check_text(&format!("{documented}pub fn b() {{}}"), &[]);
        let one_less = "/// A.\npub fn a() {}\n".repeat(18);
        check_text(
            &format!("{one_less}pub fn b() {{}}"),
            &["crates/model/src/a.rs:37: `pub fn b()"],
        );
    }

    #[test]
    fn items_are_told_from_fields() {
        assert!(is_public_item("    pub const fn a() -> u8 {"));
        assert!(!is_public_item("    pub const A: u8 = 1;"));
        assert!(!is_public_item("    pub kind: Kind,"));
        assert!(!is_public_item("pub use a::fn_of;"));
    }
}
