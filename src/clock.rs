//! The source of now.
//!
//! Nothing else in this crate reads the time, so that a test can move it by hand.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a layer reads the time from, once a request.
///
/// The default is [`SystemClock`]. Tests pass a manual one (`tower_auth::test_util::ManualClock`, feature
/// `test-util`) to [`AuthLayerBuilder::clock`](crate::AuthLayerBuilder::clock).
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// Time since some moment of the clock's own, which nobody steps: throttles count by it. By default it is that of
    /// [`now`](Self::now).
    fn steady(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        SystemTime::now()
    }

    fn steady(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        START.get_or_init(Instant::now).elapsed()
    }
}

/// Whole seconds since 1970-01-01T00:00:00Z; a time before that is 0.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// 2^64 nanoseconds are 584 years.
#[inline]
pub(crate) fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}
