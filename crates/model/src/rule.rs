//! What rules leave on plans: the rule that let a step in, the hours in which it may start, and who allowed a large plan.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::artifact::{InvalidName, names};
use crate::clock::Timestamp;

names! {
    /// The id of a rule, which is the name of its file: words of lower-case letters and digits, joined by dashes.
    RuleId, "id of a rule", "words of lower-case letters and digits, joined by dashes",
    |text| text.len() <= 100 && text.split('-').all(is_id_word);
}

fn is_id_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Hours of the day, e.g. `22:00-06:00` in UTC or `22:00-06:00 +02:00`. The end is not part of them.
///
/// Zones with names are left out on purpose: what they mean lies in files of the machine, and a plan must mean the same
/// everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    /// Minutes after midnight, below 1,440.
    from: u16,
    /// Minutes after midnight, at most 1,440; on the next day if it is not later than `from`.
    until: u16,
    /// Minutes by which the zone is ahead of UTC.
    ahead: i16,
}

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

impl Hours {
    /// Whether a moment lies in them.
    pub fn contains(self, at: Timestamp) -> bool {
        let now = self.since_midnight(at);
        let (from, until) = (i64::from(self.from) * MINUTE, i64::from(self.until) * MINUTE);
        if from < until { from <= now && now < until } else { from <= now || now < until }
    }

    /// The first moment from `at` on that lies in them.
    pub fn next_open(self, at: Timestamp) -> Timestamp {
        if self.contains(at) {
            return at;
        }
        let wait = (i64::from(self.from) * MINUTE - self.since_midnight(at)).rem_euclid(DAY);
        at + Duration::from_micros(wait.unsigned_abs())
    }

    fn since_midnight(self, at: Timestamp) -> i64 {
        at.0.saturating_add(i64::from(self.ahead) * MINUTE).rem_euclid(DAY)
    }
}

impl FromStr for Hours {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || -> Option<Self> {
            let (span, zone) = text.trim().split_once(' ').unwrap_or((text.trim(), "+00:00"));
            let (from, until) = span.split_once('-')?;
            let (from, until) = (minutes(from)?, minutes(until)?);
            let (sign, zone) = match zone.trim() {
                "UTC" => (1, "00:00"),
                zone => match zone.split_at_checked(1)? {
                    ("+", zone) => (1, zone),
                    ("-", zone) => (-1, zone),
                    _ => return None,
                },
            };
            let ahead = sign * i16::try_from(minutes(zone)?).ok()?;
            let is_span = from < 1440 && from != until && until - from.min(until) < 1440;
            (is_span && ahead.abs() <= 14 * 60).then_some(Self { from, until, ahead })
        };
        read().ok_or_else(|| InvalidName {
            what: "span of hours",
            text: text.to_owned(),
            expected: "HH:MM-HH:MM in UTC, or with the distance from it, e.g. 22:00-06:00 +02:00",
        })
    }
}

/// `HH:MM` as minutes, up to 24:00.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| -> Option<u16> {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, "{}-{} ", clock(self.from), clock(self.until))?;
        if self.ahead == 0 {
            return f.write_str("UTC");
        }
        let sign = if self.ahead < 0 { '-' } else { '+' };
        write!(f, "{sign}{}", clock(self.ahead.unsigned_abs()))
    }
}

impl TryFrom<String> for Hours {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

/// What a plan is made for.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlanMode {
    /// It is carried out.
    #[default]
    Real,
    /// It touches more than a rule allows: it waits for a person, and is made again when one allows it.
    Proposed {
        /// The rule.
        rule: RuleId,
        /// How many steps it allows.
        limit: usize,
    },
    /// It only shows what these rules would do.
    DryRun {
        /// The rules.
        rules: Vec<RuleId>,
    },
    /// It shows what would be done by a server that acts: this one is in shadow mode.
    Shadow,
}

impl PlanMode {
    /// It without its facts.
    pub fn kind(&self) -> PlanKind {
        match self {
            Self::Real => PlanKind::Real,
            Self::Proposed { .. } => PlanKind::Proposed,
            Self::DryRun { .. } => PlanKind::DryRun,
            Self::Shadow => PlanKind::Shadow,
        }
    }
}

/// What a plan is made for, as columns and listings name it.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// It is carried out.
    Real,
    /// It waits for a person.
    Proposed,
    /// It only shows what would be done.
    DryRun,
    /// It shows what would be done by a server that acts.
    Shadow,
}

/// That a person allows a plan to touch more than its rule does.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes after 1970-01-01T00:00Z at which the hours next open, seen from `at`.
    #[track_caller]
    fn check(hours: &str, at: i64, opens: i64) {
        let hours: Hours = hours.parse().unwrap();
        assert_eq!(hours.next_open(Timestamp(at * MINUTE)).0, opens * MINUTE);
        assert_eq!(hours.contains(Timestamp(at * MINUTE)), at == opens);
        assert_eq!(hours.to_string().parse::<Hours>().unwrap(), hours);
    }

    #[test]
    fn hours_may_go_over_midnight() {
        check("22:00-06:00", 0, 0);
        check("22:00-06:00", 359, 359);
        check("22:00-06:00", 360, 22 * 60);
        check("22:00-06:00", 22 * 60, 22 * 60);
        check("09:00-17:30 UTC", 18 * 60, 33 * 60);
        check("18:00-24:00", 24 * 60, 42 * 60);
    }

    #[test]
    fn a_zone_moves_them() {
        check("22:00-06:00 +02:00", 20 * 60, 20 * 60);
        check("22:00-06:00 +02:00", 5 * 60, 20 * 60);
        check("22:00-06:00 -05:30", 22 * 60, 27 * 60 + 30);
        check("00:00-01:00 +02:00", -120, -120);
    }

    #[test]
    fn what_is_no_span_of_hours_is_refused() {
        for text in [
            "",
            "22-6",
            "22:00",
            "10:00-10:00",
            "00:00-24:00",
            "24:00-06:00",
            "1:00-2:00",
            "09:00-17:60",
            "22:00-06:00 CET",
            "22:00-06:00 +15:00",
            "22:00-06:00 €",
            "+1:00-02:00",
        ] {
            assert!(text.parse::<Hours>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn ids_are_words_and_dashes() {
        for text in ["a", "package-changed", "2nd-try"] {
            assert_eq!(text.parse::<RuleId>().unwrap().as_str(), text);
        }
        for text in ["", "-a", "a--b", "A", "a_b", "a.yaml", "a/b"] {
            assert!(text.parse::<RuleId>().is_err(), "{text:?} was accepted");
        }
    }
}
