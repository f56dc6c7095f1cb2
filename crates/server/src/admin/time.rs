//! Times as people and programs read them: RFC 3339, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::clock::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A point in time. JSON has microseconds, text whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time: expected 2026-07-01T12:00:00Z or 2026-07-01")]
pub struct InvalidMoment(String);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.as_seconds()) {
            Ok(time) => f.pad(&time.to_string()),
            // A year no calendar has.
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_microsecond(self.0.0) {
            Ok(time) => serializer.collect_str(&time),
            Err(_) => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A point in time (RFC 3339)."))
            .into()
    }
}

impl ToSchema for Moment {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("Moment")
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMoment(text.to_owned());
        // A date parser also takes times, and would cut off those without an offset.
        let time = if text.len() == "2026-07-01".len() {
            let date: Date = text.parse().map_err(|_| invalid())?;
            date.to_zoned(TimeZone::UTC).map_err(|_| invalid())?.timestamp()
        } else {
            text.parse().map_err(|_| invalid())?
        };
        Ok(Self(Timestamp(time.as_microsecond())))
    }
}

/// A duration as people say it: `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_rfc_3339() {
        let moment: Moment = "2026-07-01T12:00:00.25Z".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-07-01T12:00:00Z");
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"2026-07-01T12:00:00.25Z\"");
        assert_eq!("2026-07-01".parse::<Moment>().unwrap().to_string(), "2026-07-01T00:00:00Z");
        let with_offset: Moment = "2026-07-01T12:00:00+02:00".parse().unwrap();
        assert_eq!(with_offset.to_string(), "2026-07-01T10:00:00Z");
        for bad in ["", "tomorrow", "2026-13-01", "2026-07-01T12:00", "99999999999"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn durations_are_spoken() {
        let spoken = |seconds: f64| spoken(Duration::from_secs_f64(seconds));
        assert_eq!(
            [spoken(0.25), spoken(200.0), spoken(7500.0)],
            ["0.2 s", "3 min 20 s", "2 h 5 min"]
        );
    }
}
