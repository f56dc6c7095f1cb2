//! Figures that show where the code is heading. Nobody enforces them: each is easy to satisfy badly.

use super::documented::{is_item, is_public_item};
use super::{lock_size, percentile_95};
use crate::source::Source;
use crate::tree::Tree;

/// What is counted, in lines unless said otherwise.
#[derive(Default)]
struct Counts {
    code: usize,
    comments: usize,
    test_code: usize,
    public_items: usize,
    items: usize,
}

/// The figures of the tree, in one line.
pub(super) fn report(tree: &Tree) -> String {
    let mut counts = Counts::default();
    tree.rust.iter().for_each(|source| counts.add(source));
    let functions = tree.rust.iter().flat_map(Source::functions).map(|f| f.length).collect();
    let files = tree.rust.iter().map(|source| source.production().count());
    let files = files.filter(|length| *length > 0).collect();
    format!(
        "figures: {} lines of code, comments {} % (aim 12 to 20), tests {} % of the code they test, \
         public {} % of items; 95 of 100 functions within {} lines, files within {}; {} crates locked",
        counts.code,
        percent(counts.comments, counts.code + counts.comments),
        percent(counts.test_code, counts.code),
        percent(counts.public_items, counts.items),
        percentile_95(functions),
        percentile_95(files),
        lock_size::crates(tree),
    )
}

impl Counts {
    fn add(&mut self, source: &Source) {
        for (line, code) in source.code.iter().enumerate() {
            let (is_code, is_test) = (!code.trim().is_empty(), source.test[line]);
            let is_comment = !is_code && !source.comments[line].trim().is_empty();
            let declaration = code.trim_start().trim_start_matches("pub(crate) ");
            let declaration = declaration.trim_start_matches("pub(super) ");
            self.test_code += usize::from(is_test && is_code);
            if is_test {
                continue;
            }
            self.code += usize::from(is_code);
            self.comments += usize::from(is_comment);
            self.public_items += usize::from(is_public_item(code));
            self.items += usize::from(is_public_item(code) || is_item(declaration));
        }
    }
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::report;
    use crate::tree::Tree;

    #[test]
    fn the_figures_are_counted() {
        let text = "//! A.\n/// B.\npub fn a() {\n    f(); // why\n}\n\nstruct B;\npub(crate) enum C {}\n\
                    const D: u8 = 1;\n#[cfg(test)]\nmod tests {\n}\n";
        let files = [("a.rs", text), ("Cargo.lock", "[[package]]\n[[package]]\n")];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let expected = "figures: 6 lines of code, comments 25 % (aim 12 to 20), tests 50 % of the code \
                        they test, public 33 % of items; 95 of 100 functions within 1 lines, files \
                        within 9; 2 crates locked";
        assert_eq!(report(&Tree::of(files.into())), expected);
    }
}
