//! `millstream.built`: another build system made something. Shadow mode compares it with what was planned.
//!
//! ```json
//! {"artifact": "rpms/zlib#f44", "nvr": "zlib-1.3-2.f44", "by": "ann", "system": "koji", "at": 1700000000}
//! ```
//! `by` and `at`, in seconds since 1970, may be left out.

use model::clock::Timestamp;
use model::event::Event;
use model::version::Nvr;

use super::body::Body;
use super::{Reading, Unreadable};

/// The topic.
pub const TOPIC: &str = "millstream.built";

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    let at = body.optional_number("at")?;
    Ok(Reading::Event(Event::Built {
        artifact: body.parsed("artifact")?,
        nvr: body.parsed::<Nvr>("nvr")?.to_string(),
        by: body.optional_text("by")?.map(str::to_owned),
        system: body.filled_text("system")?.to_owned(),
        at: at.map(|seconds| Timestamp(seconds.saturating_mul(1_000_000))),
    }))
}
