//! `millstream.time`: the time of a rule has come.
//!
//! ```json
//! {"rule": "weekly-images", "artifact": "containers/web#f44", "period": 2943}
//! ```

use model::event::Event;

use super::body::Body;
use super::{Reading, Unreadable};

/// The topic.
pub const TOPIC: &str = "millstream.time";

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    Ok(Reading::Event(Event::TimeElapsed {
        artifact: body.parsed("artifact")?,
        rule: body.parsed("rule")?,
        period: body.number("period")?,
    }))
}
