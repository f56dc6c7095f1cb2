//! When a notice is complete, when a digest goes out, and when what did not arrive is tried again.

use std::time::Duration;

use model::clock::Timestamp;
use model::notice::{Notice, NoticeKind};

/// How long a notice waits for more of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After the last change, while nothing moves.
    pub quiet: Duration,
    /// After the first, whatever comes.
    pub at_most: Duration,
}

/// Whether a notice goes out now. `is_at_rest` is asked only where it matters: whether nothing of its plan moves.
pub fn is_due(
    notice: &Notice,
    now: Timestamp,
    patience: Patience,
    is_at_rest: impl FnOnce() -> bool,
) -> bool {
    match notice.kind {
        // Nothing joins them.
        NoticeKind::Rejected
        | NoticeKind::Proposed
        | NoticeKind::Rule
        | NoticeKind::Fixed
        | NoticeKind::ShadowReport => true,
        _ if now.since(notice.opened) >= patience.at_most => true,
        _ if now.since(notice.changed) < patience.quiet => false,
        // Somebody is waited for.
        NoticeKind::WaitingForSignOff => true,
        NoticeKind::Failed | NoticeKind::Held | NoticeKind::Published => is_at_rest(),
    }
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// The next time it is `hour` o'clock in UTC, later than `now`.
pub fn next_digest(now: Timestamp, hour: u8) -> Timestamp {
    let midnight = now.0.div_euclid(DAY) * DAY;
    let today = midnight + i64::from(hour % 24) * HOUR;
    Timestamp(if today > now.0 { today } else { today + DAY })
}

/// How long to wait after so many attempts; none when it is time to give up, after some three days.
pub fn backoff(attempts: u32) -> Option<Duration> {
    const FIRST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(6 * 3600);
    const MOST: u32 = 20;
    let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    (attempts < MOST).then_some(doubled.min(LONGEST))
}
