//! Tables that are sorted by links, and lists that go on.

use maud::{Markup, html};

use super::links::with_query;

/// How a table is sorted: by one of its columns, and in which direction. Written `column` or `-column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order<'a> {
    pub(super) column: &'a str,
    pub(super) is_descending: bool,
}

impl<'a> Order<'a> {
    /// From a query; `default` if it says nothing.
    pub(super) fn of(text: Option<&'a str>, default: &'a str) -> Self {
        let text = text.filter(|text| !text.is_empty()).unwrap_or(default);
        match text.strip_prefix('-') {
            Some(column) => Self { column, is_descending: true },
            None => Self { column: text, is_descending: false },
        }
    }

    /// A column's heading: a link that sorts by it, or turns the order round.
    pub(super) fn heading(
        self,
        (column, label): (&str, &str),
        path: &str,
        pairs: &[(&str, Option<&str>)],
    ) -> Markup {
        let is_own = self.column == column;
        let next =
            if is_own && !self.is_descending { format!("-{column}") } else { column.to_owned() };
        let mut all = pairs.to_vec();
        all.push(("sort", Some(&next)));
        let direction = match (is_own, self.is_descending) {
            (false, _) => None,
            (true, false) => Some("ascending"),
            (true, true) => Some("descending"),
        };
        html! {
            th scope="col" aria-sort=[direction] {
                a href={ (with_query(path, &all)) "#steps" } {
                    (label)
                    @match direction {
                        Some("ascending") => span aria-hidden="true" { " ↑" },
                        Some(_) => span aria-hidden="true" { " ↓" },
                        None => {},
                    }
                }
            }
        }
    }
}

/// The heading of a table whose order is fixed.
pub(super) fn headings(labels: &[&str]) -> Markup {
    html! {
        thead { tr { @for label in labels { th scope="col" { (label) } } } }
    }
}

/// A link to the next part of a list.
pub(super) fn onward(url: Option<String>, label: &str) -> Markup {
    html! {
        @if let Some(url) = url { p.onward { a href=(url) rel="next" { (label) " →" } } }
    }
}

/// One of several views of a list: a row of links, the current one marked.
pub(super) fn views(label: &str, views: &[(&str, String, bool)]) -> Markup {
    html! {
        nav.views aria-label=(label) {
            ul {
                @for (name, url, is_current) in views {
                    li { a href=(url) aria-current=[is_current.then_some("true")] { (name) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_turns_its_own_order_round() {
        let heading = |sort| {
            let order = Order::of(sort, "tier");
            order.heading(("tier", "Tier"), "/plans/1", &[("q", Some("a"))]).into_string()
        };
        assert!(heading(None).contains("href=\"/plans/1?q=a&amp;sort=-tier#steps\""));
        assert!(heading(None).contains("aria-sort=\"ascending\""));
        assert!(heading(Some("-tier")).contains("sort=tier#steps"));
        assert!(!heading(Some("state")).contains("aria-sort"));
    }
}
