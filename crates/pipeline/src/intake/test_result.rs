//! `millstream.test-result`: another test system reports.
//!
//! ```json
//! {"artifact": "rpms/zlib#f44", "nvr": "zlib-1.3-1.f44", "case": "ci.functional", "outcome": "PASSED"}
//! ```
//! `outcome` is one of ResultsDB's words, see [`Outcome`](model::test::Outcome).

use model::event::Event;
use model::version::Nvr;

use super::body::Body;
use super::{Reading, Unreadable};

/// The topic.
pub const TOPIC: &str = "millstream.test-result";

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    Ok(Reading::Event(Event::TestResult {
        artifact: body.parsed("artifact")?,
        nvr: body.parsed::<Nvr>("nvr")?.to_string(),
        case: body.filled_text("case")?.to_owned(),
        outcome: body.parsed("outcome")?,
    }))
}
