//! Points in time as people say them, with the exact time behind.

use std::time::Duration;

use jiff::tz::TimeZone;
use maud::{Markup, html};
use model::clock::Timestamp;

use crate::admin::time::{Moment, spoken};

/// The present of one page: everything on it is as long ago as it was when the page was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now(pub(super) Timestamp);

impl Now {
    /// `3 min ago`, or `in 3 min`, with the exact time for machines and on hover. The page's script keeps it true.
    pub(super) fn ago(self, moment: Moment) -> Markup {
        html! {
            time datetime=(exact(moment)) title=(readable(moment)) data-ago {
                (self.spoken(moment.0))
            }
        }
    }

    /// The same for what may never have happened.
    pub(super) fn ago_or_never(self, moment: Option<Moment>) -> Markup {
        match moment {
            Some(moment) => self.ago(moment),
            None => html! { "never" },
        }
    }

    /// How long it has been, counted on by the page's script.
    pub(super) fn elapsed(self, since: Moment) -> Markup {
        html! {
            time datetime=(exact(since)) title={ "since " (readable(since)) } data-elapsed {
                (duration(self.0.since(since.0)))
            }
        }
    }

    fn spoken(self, moment: Timestamp) -> String {
        if moment > self.0 {
            return format!("in {}", rough(moment.since(self.0)));
        }
        let gone = self.0.since(moment);
        if gone < Duration::from_secs(5) {
            "just now".to_owned()
        } else {
            format!("{} ago", rough(gone))
        }
    }
}

/// In one unit: `12 s`, `3 min`, `5 h`, `2 d`.
fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A length of time.
pub(super) fn duration(duration: Duration) -> String {
    spoken(duration)
}

/// A length of time in seconds.
pub(super) fn seconds(seconds: f64) -> String {
    // What is no length of time is shown as none.
    spoken(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A span of lengths: `about 4 min`, `4 to 12 min`, `30 s to 2 h 5 min`.
pub(super) fn span(at_least: f64, at_most: f64) -> String {
    let rough = |seconds: f64| rough(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let (least, most) = (rough(at_least), rough(at_most));
    if least == most {
        return format!("about {most}");
    }
    match (least.split_once(' '), most.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {most}"),
        _ => format!("{least} to {most}"),
    }
}

fn exact(moment: Moment) -> String {
    moment.to_string()
}

/// `2026-07-01 12:00:00 UTC`.
pub(super) fn readable(moment: Moment) -> String {
    match jiff::Timestamp::from_second(moment.0.as_seconds()) {
        Ok(time) => {
            let civil = TimeZone::UTC.to_datetime(time);
            format!("{} {} UTC", civil.date(), civil.time())
        }
        Err(_) => moment.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_one_unit() {
        let now = Now(Timestamp(1_000_000_000_000));
        let spoken = |seconds: i64| now.spoken(Timestamp(now.0.0 - seconds * 1_000_000));
        let said = [0, 4, 5, 59, 60, 3_599, 3_600, 172_799, 172_800, -90].map(spoken);
        let expected = [
            "just now",
            "just now",
            "5 s ago",
            "59 s ago",
            "1 min ago",
            "59 min ago",
            "1 h ago",
            "47 h ago",
            "2 d ago",
            "in 1 min",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn spans_name_a_unit_once_if_they_can() {
        let said = [span(240.0, 250.0), span(240.0, 720.0), span(30.0, 7_500.0), span(0.0, 9.0)];
        assert_eq!(said, ["about 4 min", "4 to 12 min", "30 s to 2 h", "0 to 9 s"]);
    }

    #[test]
    fn the_exact_time_is_in_utc() {
        let moment = "2026-07-01T12:00:00.25Z".parse().unwrap();
        assert_eq!(readable(moment), "2026-07-01 12:00:00 UTC");
    }
}
