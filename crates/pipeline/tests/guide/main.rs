//! The worked examples of `docs/rules.md`: their rules are read from the page, and the plans have to come out as it says.
#![expect(clippy::unwrap_used, reason = "a page that cannot be read is a test that fails")]

mod page;
mod scenario;

use page::{Example, examples};
use scenario::Scenario;

#[test]
fn every_example_of_the_guide_comes_out_as_it_says() {
    let page = include_str!("../../../../docs/rules.md");
    let examples = examples(page);
    assert_eq!(examples.len(), 10, "the guide promises ten examples");
    let (mut written, mut found) = (String::new(), String::new());
    for Example { title, rules, scenario } in &examples {
        written += &format!("### {title}\n{scenario}");
        found += &format!("### {title}\n{}", Scenario::read(rules, scenario).run());
    }
    assert!(found == written, "--- the page\n{written}\n--- comes out as\n{found}");
}
