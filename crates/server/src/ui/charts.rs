//! Small pictures of figures, drawn here as SVG; the figures stand beside them or in their titles.

use maud::{Markup, html};

use pipeline::compose::difference::bytes;

use super::words::look;

/// How many of how many are in which state, as one bar. The order is that of the states.
pub(super) fn shares<'a>(
    total: usize,
    counts: impl Iterator<Item = (&'a str, usize)> + Clone,
) -> Markup {
    let said: Vec<String> =
        counts.clone().map(|(state, count)| format!("{count} {state}")).collect();
    let scale = 100.0 / total.max(1) as f64;
    let mut at = 0.0;
    let shares = counts.map(|(state, count)| {
        let (from, width) = (at, count as f64 * scale);
        at += width;
        (state, from, width)
    });
    html! {
        svg.shares viewBox="0 0 100 8" preserveAspectRatio="none" role="img"
            aria-label=(said.join(", ")) {
            title { (said.join(", ")) }
            @for (state, at, width) in shares {
                rect class={ "fill-" (look(state).1) } x=(short(at)) y="0" width=(short(width))
                    height="8" {}
            }
        }
    }
}

/// One bar for each value, the oldest at the left; a value that failed has a tone of its own.
pub(super) fn bars(label: &str, values: &[(f64, &'static str, String)]) -> Markup {
    let highest = values.iter().map(|(value, ..)| *value).fold(0.0_f64, f64::max).max(0.001);
    let width = values.len() * 10;
    html! {
        svg.bars viewBox={ "0 0 " (width) " 40" } width=(width) height="40" role="img" aria-label=(label) {
            @for (index, (value, tone, title)) in values.iter().enumerate() {
                @let height = (value / highest * 36.0).max(2.0);
                rect class={ "fill-" (tone) } x=(index * 10 + 1) y=(short(40.0 - height)) width="8"
                    height=(short(height)) rx="1" {
                    title { (title) }
                }
            }
        }
    }
}

/// Sizes from one to the next, the oldest at the left, as bars whose titles say more.
pub(super) fn sizes(sizes: &[(String, u64)]) -> Markup {
    let bar = |(name, size): &(String, u64)| {
        (*size as f64, "moving", format!("{name}: {}", bytes(*size)))
    };
    let shown: Vec<_> = sizes.iter().rev().take(40).rev().map(bar).collect();
    html! {
        @match (sizes.first(), sizes.last()) {
            (Some((_, first)), Some((_, last))) if shown.len() > 1 => {
                (bars("Size over time", &shown))
                p.quiet { "from " (bytes(*first)) " to " (bytes(*last)) " in " (sizes.len()) " builds" }
            },
            (_, Some((_, last))) => p.quiet { (bytes(*last)) ", and no other to compare it with." },
            _ => {},
        }
    }
}

/// How far something is that is expected to take so long, as a bar that the page's script moves on.
pub(super) fn progress(elapsed: f64, expected: f64) -> Markup {
    let share = (elapsed / expected.max(0.001)).clamp(0.0, 0.97);
    html! {
        svg.progress viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"
            data-progress=(short(expected)) data-elapsed-at-load=(short(elapsed)) {
            rect.track x="0" y="0" width="100" height="6" {}
            rect.done x="0" y="0" width=(short(share * 100.0)) height="6" {}
        }
    }
}

/// A number with one digit behind the point, and none where it is zero.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_what_it_shows() {
        let bar = shares(4, [("passed", 1), ("failed", 3)].into_iter()).into_string();
        assert!(bar.contains("aria-label=\"1 passed, 3 failed\""), "{bar}");
        assert!(bar.contains("class=\"fill-failed\" x=\"25\" y=\"0\" width=\"75\""), "{bar}");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([short(12.0), short(12.34), short(-0.04)], ["12", "12.3", "-0"]);
    }
}
