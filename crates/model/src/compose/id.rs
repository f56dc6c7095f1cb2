//! The id of a compose, as productmd writes it: `Almanac-44-20261126.n.0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Release, ReleaseKind, ReleaseShort, ReleaseVersion, kinds};
use crate::artifact::InvalidName;
use crate::clock::Timestamp;

const DAY_IN_SECONDS: i64 = 86_400;

/// The identity of a compose: `Short-Version[-type]-YYYYMMDD[.kind].respin`.
///
/// Composes of one release are ordered as productmd orders them: by date, by kind, by respin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ComposeId {
    /// Of which release.
    pub short: ReleaseShort,
    /// Of which version of it.
    pub version: ReleaseVersion,
    /// What kind of release.
    pub release: ReleaseKind,
    /// The day it was made.
    pub date: ComposeDate,
    /// What kind of compose.
    pub kind: ComposeKind,
    /// Tells those of one day apart; counts from 0.
    pub respin: u32,
}

kinds! {
    /// What a compose is made for, the least important first; the kinds are productmd's.
    ComposeKind, "type of compose", "test, ci, nightly, production or development",
    /// A trial of the compose itself.
    Test = "test",
    /// For each change.
    Ci = "ci",
    /// Of what is ready on a day.
    Nightly = "nightly",
    /// A candidate for shipping.
    Production = "production",
    /// A version that is not for production.
    Development = "development",
}

impl ComposeKind {
    /// What the kind adds to the date.
    fn suffix(self) -> &'static str {
        match self {
            Self::Test => ".t",
            Self::Ci => ".ci",
            Self::Nightly => ".n",
            Self::Production => "",
            Self::Development => ".d",
        }
    }
}

/// A day of the calendar in UTC, written `20261126`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ComposeDate {
    year: u16,
    month: u8,
    day: u8,
}

impl ComposeDate {
    /// The day of a moment. Moments outside of the years 1 to 9999 count as the nearest day within.
    pub fn of(moment: Timestamp) -> Self {
        const FIRST: i64 = -719_162;
        const LAST: i64 = 2_932_896;
        let days = moment.as_seconds().div_euclid(DAY_IN_SECONDS).clamp(FIRST, LAST);
        // Counted in years that begin with March, so that the leap day is the last of its year; the era has 400 years.
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let small = |number: i64| u8::try_from(number).unwrap_or(1);
        let year = u16::try_from(era * 400 + year + next).unwrap_or(1);
        Self { year, month: small(month), day: small(day) }
    }

    fn days_in_month(year: u16, month: u8) -> u8 {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for ComposeDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for ComposeDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ComposeDate {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid =
            || InvalidName { what: "date", text: text.to_owned(), expected: "a day as YYYYMMDD" };
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let year: u16 = text[..4].parse().map_err(|_| invalid())?;
        let month = text[4..6].parse().map_err(|_| invalid())?;
        let day = text[6..].parse().map_err(|_| invalid())?;
        let known = year > 0
            && (1..=12).contains(&month)
            && (1..=Self::days_in_month(year, month)).contains(&day);
        if known { Ok(Self { year, month, day }) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for ComposeDate {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ComposeDate> for String {
    fn from(date: ComposeDate) -> Self {
        date.to_string()
    }
}

impl ComposeId {
    /// The id of a compose of a release.
    pub fn new(release: &Release, date: ComposeDate, kind: ComposeKind, respin: u32) -> Self {
        Self {
            short: release.short.clone(),
            version: release.version.clone(),
            release: release.kind,
            date,
            kind,
            respin,
        }
    }

    /// Whether the other one is a compose of the same release, so that one of them is the newer.
    pub fn is_kin_of(&self, other: &Self) -> bool {
        (&self.short, &self.version, self.release) == (&other.short, &other.version, other.release)
    }
}

impl fmt::Display for ComposeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { short, version, release, date, kind, respin } = self;
        write!(f, "{short}-{version}{}-{date}{}.{respin}", release.suffix(), kind.suffix())
    }
}

impl fmt::Debug for ComposeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ComposeId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "compose id",
            text: text.to_owned(),
            expected: "SHORT-VERSION[-TYPE]-YYYYMMDD[.n|.t|.ci|.d].RESPIN, e.g. Almanac-44-20261126.n.0",
        };
        let (rest, end) = text.rsplit_once('-').ok_or_else(invalid)?;
        let (begin, respin) = end.rsplit_once('.').ok_or_else(invalid)?;
        let (date, suffix) = begin.split_at_checked(8).ok_or_else(invalid)?;
        let kind = ComposeKind::ALL.iter().copied().find(|kind| kind.suffix() == suffix);
        let without = |kind: &ReleaseKind| rest.strip_suffix(&kind.suffix());
        // The longest type first: another may be its end.
        let typed = ReleaseKind::ALL.iter().copied().filter(|kind| *kind != ReleaseKind::Ga);
        let release =
            typed.filter(|kind| without(kind).is_some()).max_by_key(|kind| kind.suffix().len());
        let release = release.unwrap_or(ReleaseKind::Ga);
        let rest = without(&release).unwrap_or(rest);
        let (short, version) = rest.rsplit_once('-').ok_or_else(invalid)?;
        let id = Self {
            short: short.parse().map_err(|_| invalid())?,
            version: version.parse().map_err(|_| invalid())?,
            release,
            date: date.parse().map_err(|_| invalid())?,
            kind: kind.ok_or_else(invalid)?,
            respin: respin.parse().map_err(|_| invalid())?,
        };
        // Refuses `+1` and `007`, which would be second names of one compose.
        if id.to_string() == text { Ok(id) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for ComposeId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ComposeId> for String {
    fn from(id: ComposeId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, parts: &str) {
        let id: ComposeId = text.parse().unwrap();
        let ComposeId { short, version, release, date, kind, respin } = &id;
        assert_eq!(format!("{short} {version} {release} {date} {kind} {respin}"), parts);
        assert_eq!(id.to_string(), text);
    }

    #[test]
    fn ids_come_apart_as_productmd_takes_them_apart() {
        check("Almanac-44-20261126.n.0", "Almanac 44 ga 20261126 nightly 0");
        check("Fedora-24-20151130.n.2", "Fedora 24 ga 20151130 nightly 2");
        check("Harbour-Cloud-9.1-20240229.12", "Harbour-Cloud 9.1 ga 20240229 production 12");
        check("A-44-updates-20261126.t.1", "A 44 updates 20261126 test 1");
        check("A-1-updates-testing-20261126.ci.1", "A 1 updates-testing 20261126 ci 1");
        check("A-Rawhide-20261126.d.1", "A Rawhide ga 20261126 development 1");
    }

    #[test]
    fn strange_ids_are_refused() {
        for text in [
            "",
            "Almanac",
            "Almanac-44",
            "Almanac-20261126.n.0",
            "Almanac-44-20261126",
            "Almanac-44-20261126.n",
            "Almanac-44-20261126.x.0",
            "Almanac-44-20261126.n.007",
            "Almanac-44-20261126.n.+7",
            "Almanac-44-20230229.n.0",
            "Almanac-44-2026112é.n.0",
            "Almanac-updates-20261126.n.0",
            "../Almanac-44-20261126.n.0",
        ] {
            assert!(text.parse::<ComposeId>().is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn composes_of_a_release_are_ordered_by_date_kind_and_respin() {
        let texts = [
            "A-1-20251231.9",
            "A-1-20260101.t.3",
            "A-1-20260101.n.2",
            "A-1-20260101.n.10",
            "A-1-20260101.0",
        ];
        let ids = texts.map(|text| text.parse::<ComposeId>().unwrap());
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids[0].is_kin_of(&ids[4]));
        assert!(!ids[0].is_kin_of(&"A-2-20260101.0".parse().unwrap()));
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (seconds, day) in [
            (0, "19700101"),
            (-1, "19691231"),
            (951_782_400, "20000229"),
            (951_868_800, "20000301"),
            (1_795_651_200, "20261126"),
            (4_107_542_400, "21000301"),
            (i64::MAX / 1_000_000, "99991231"),
            (i64::MIN / 1_000_000, "00010101"),
        ] {
            assert_eq!(ComposeDate::of(Timestamp(seconds * 1_000_000)).to_string(), day);
        }
    }

    proptest! {
        #[test]
        fn every_moment_has_a_day_and_the_next_day_follows(seconds in -50_000_000_000i64..200_000_000_000) {
            let day = |seconds: i64| ComposeDate::of(Timestamp(seconds * 1_000_000));
            prop_assert_eq!(day(seconds).to_string().parse::<ComposeDate>().unwrap(), day(seconds));
            prop_assert!(day(seconds) < day(seconds + DAY_IN_SECONDS));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "\\PC*") {
            let _ = text.parse::<ComposeId>();
        }
    }
}
