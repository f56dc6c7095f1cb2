//! The best of several runs: what disturbs only adds.

use std::time::{Duration, Instant};

const REPETITIONS: usize = 5;

/// The best time by the clock, and the best by the calling thread's own processor time, which others on
/// the machine disturb less.
pub(crate) struct Best {
    pub(crate) clock: Duration,
    pub(crate) processor: Duration,
}

impl std::fmt::Display for Best {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { clock, processor } = self;
        write!(formatter, "{clock:.1?} (this thread's processor time {processor:.1?})")
    }
}

pub(crate) fn best<T>(mut run: impl FnMut() -> T) -> Best {
    let mut best = Best { clock: Duration::MAX, processor: Duration::MAX };
    for _ in 0..REPETITIONS {
        let (start, used) = (Instant::now(), processor_time());
        let result = std::hint::black_box(run());
        best.clock = best.clock.min(start.elapsed());
        best.processor = best.processor.min(processor_time().saturating_sub(used));
        drop(result);
    }
    best
}

/// How long this thread has run, as Linux counts it; zero elsewhere.
pub(crate) fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
