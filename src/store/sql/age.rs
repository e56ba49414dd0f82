use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long ago the database was heard, by a clock that nobody sets.
///
/// ```text
/// heard ────────── bound ─────────────────── bound + outage ──────
///        believed         believed while the         not believed
///                         database is away
/// ```
pub(super) struct Age {
    start: Instant,
    /// In microseconds after `start`, and 1; 0 is never.
    heard: AtomicU64,
    is_away: AtomicBool,
    bound: Duration,
    outage: Duration,
}

impl Age {
    pub(super) fn new(bound: Duration, outage: Duration) -> Self {
        Self {
            start: Instant::now(),
            heard: AtomicU64::new(0),
            is_away: AtomicBool::new(false),
            bound,
            outage,
        }
    }

    /// All that the database had said by that time is here.
    pub(super) fn hear(&self, at: Instant) {
        let since = at.saturating_duration_since(self.start).as_micros();
        let since = u64::try_from(since).unwrap_or(u64::MAX - 1);
        self.heard
            .fetch_max(since.saturating_add(1), Ordering::AcqRel);
        self.is_away.store(false, Ordering::Release);
    }

    /// The database did not answer.
    pub(super) fn miss(&self) {
        self.is_away.store(true, Ordering::Release);
    }

    pub(super) fn get(&self) -> Option<Duration> {
        self.at(Instant::now())
    }

    #[inline]
    fn at(&self, now: Instant) -> Option<Duration> {
        let heard = Duration::from_micros(self.heard.load(Ordering::Acquire).checked_sub(1)?);
        let since_start = now.saturating_duration_since(self.start);
        Some(since_start.saturating_sub(heard))
    }

    /// Whether what is here is as good as what the database would say.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.at(now).is_some_and(|age| age < self.bound)
    }

    /// Whether what is here may answer for the database.
    #[inline]
    pub(super) fn is_believed(&self, now: Instant) -> bool {
        let Some(age) = self.at(now) else {
            return false;
        };
        age < self.bound
            // Older news count only where the last reading failed. Where none was tried, because
            // the process was suspended or its runtime was busy, the database may have much to say.
            || self.is_away.load(Ordering::Acquire) && age < self.bound.saturating_add(self.outage)
    }
}
