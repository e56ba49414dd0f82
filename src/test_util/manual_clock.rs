use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that stands still until it is moved. Clones are the same clock.
///
/// ```
/// use tower_auth::clock::Clock;
/// use tower_auth::test_util::ManualClock;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = ManualClock::new(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1_700_000_060));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

/// In milliseconds.
#[derive(Debug, Default)]
struct Hands {
    wall: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// It stands at that time, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn new(unix_seconds: u64) -> Self {
        let clock = Self(Arc::default());
        clock.set(unix_seconds);
        clock
    }

    /// Steps it to a time, forwards or backwards, as an operator does: no time passes, so
    /// [`steady`](Clock::steady) stays.
    pub fn set(&self, unix_seconds: u64) {
        self.0
            .wall
            .store(unix_seconds.saturating_mul(1_000), Ordering::SeqCst);
    }

    /// Lets time pass, to the millisecond.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.wall.fetch_add(millis, Ordering::SeqCst);
        self.0.steady.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.0.steady.load(Ordering::SeqCst))
    }
}
