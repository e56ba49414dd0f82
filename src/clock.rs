//! The source of now.
//!
//! Nothing else in this crate reads the time, so that a test can move it by hand.

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a layer reads the time from, once a request.
///
/// The default is [`SystemClock`]. Tests pass a manual one (`tower_auth::test_util::ManualClock`, feature
/// `test-util`) to [`AuthLayerBuilder::clock`](crate::AuthLayerBuilder::clock).
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        SystemTime::now()
    }
}

/// Whole seconds since 1970-01-01T00:00:00Z; a time before that is 0.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
