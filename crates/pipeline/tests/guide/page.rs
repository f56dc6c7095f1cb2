//! The sections of the guide that are examples.

/// One example.
pub(crate) struct Example {
    pub(crate) title: String,
    /// The text of each rule file.
    pub(crate) rules: Vec<String>,
    pub(crate) scenario: String,
}

/// The sections that have a scenario.
pub(crate) fn examples(page: &str) -> Vec<Example> {
    let sections = page.split("\n### ").skip(1);
    let example = |section: &str| {
        let (title, body) = section.split_once('\n').unwrap();
        let scenario = blocks(body, "scenario").concat();
        Example { title: title.to_owned(), rules: blocks(body, "yaml"), scenario }
    };
    sections.map(example).filter(|example| !example.scenario.is_empty()).collect()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let after = text.split(fence.as_str()).skip(1);
    after.map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}
