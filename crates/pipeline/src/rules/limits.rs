//! The limits of rules: how long a plan waits for more, how much it may touch, and in which hours it builds.

use std::sync::Arc;
use std::time::Duration;

use model::rule::{Hours, RuleId};

use super::Rule;

/// What a rule says about how soon, how much, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long a plan waits after the last change for more of the same.
    pub debounce: Option<Duration>,
    /// How long it waits at most after the first change.
    pub debounce_at_most: Option<Duration>,
    /// How many steps a plan may have before a person must allow it.
    pub size: Option<usize>,
    /// In which hours builds may start.
    pub hours: Option<Hours>,
}

/// The limits of all rules that match one event. Where several speak, the one that waits more holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The longest quiet time.
    pub debounce: Option<Duration>,
    /// The longest time at most.
    pub debounce_at_most: Option<Duration>,
    /// The smallest size, and the rule that sets it.
    pub size: Option<(RuleId, usize)>,
    /// The hours of the first rule, by id, that has some.
    pub hours: Option<Hours>,
}

impl Bounds {
    /// The limits of these rules, which stand in the order of their ids.
    pub(super) fn of(rules: &[Arc<Rule>]) -> Self {
        let limits = || rules.iter().map(|rule| &rule.limits);
        let sizes = rules.iter().filter_map(|rule| Some((rule.limits.size?, &rule.id)));
        Self {
            debounce: limits().filter_map(|limits| limits.debounce).max(),
            debounce_at_most: limits().filter_map(|limits| limits.debounce_at_most).max(),
            size: sizes.min().map(|(size, id)| (id.clone(), size)),
            hours: limits().find_map(|limits| limits.hours),
        }
    }
}

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads `90s`, `10m`, `12h` or `7d`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| unit.starts_with(*name))?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = is_number.then(|| number.parse().ok()).flatten()?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}

/// A duration in the largest unit that tells it exactly.
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fits = |(_, unit): &&(char, u64)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&('s', 1));
    format!("{}{name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("10m", 600), ("12h", 43_200), ("7d", 604_800), ("0s", 0)]
        {
            let read = duration(text).unwrap();
            assert_eq!((read.as_secs(), spoken(read).as_str()), (seconds, text));
        }
        for text in ["", "m", "10", "10 m", "-1m", "1.5h", "99999999999d", "5€", "+5m"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }
}
