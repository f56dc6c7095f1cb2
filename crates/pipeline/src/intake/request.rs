//! `millstream.request`: somebody asks for a rebuild or a retest.
//!
//! ```json
//! {"artifact": "rpms/zlib#f44", "request": "rebuild", "by": "ann", "reason": "new compiler", "severity": "none"}
//! ```
//! `request` is `rebuild` or `retest`; `severity` may be left out.

use model::event::{Event, Request};

use super::body::{Body, unreadable_field};
use super::{Reading, Unreadable};

/// The topic.
pub const TOPIC: &str = "millstream.request";

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    Ok(Reading::Event(Event::Requested {
        artifact: body.parsed("artifact")?,
        request: match body.text("request")? {
            "rebuild" => Request::Rebuild,
            "retest" => Request::Retest,
            other => {
                let reason = format!("{other:?} is neither rebuild nor retest");
                return Err(unreadable_field("request", reason));
            }
        },
        by: body.filled_text("by")?.to_owned(),
        reason: body.filled_text("reason")?.to_owned(),
        severity: body.severity("severity")?,
    }))
}
