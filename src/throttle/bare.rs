use super::address::Addresses;
use super::rule::Throttle;
use super::stack::{QuotaFields, Stack, Surroundings};
use crate::clock::SystemClock;
use crate::event::Events;
use crate::rate::Rate;
use std::fmt;
use std::sync::Arc;

/// One rule by itself, on the system's clock and without a request around it: for benches.
///
/// ```
/// use tower_auth::test_util::Limiter;
///
/// let limiter = Limiter::new("2/day".parse()?, 1_000);
/// assert!(limiter.check(b"anna") && limiter.check(b"anna") && !limiter.check(b"anna"));
/// assert!(limiter.check(b"ben"));
/// # Ok::<(), tower_auth::throttle::RateError>(())
/// ```
pub struct Limiter(Stack);

impl Limiter {
    /// It keeps track of so many keys.
    #[must_use]
    pub fn new(rate: Rate, most_keys: usize) -> Self {
        let surroundings = Surroundings {
            addresses: Arc::new(Addresses::new()),
            clock: Arc::new(SystemClock),
            shown: QuotaFields::Hidden,
            events: Events::default(),
            #[cfg(feature = "redis")]
            limiter: None,
        };
        let throttle = Throttle::per_address(rate).most_keys(most_keys);
        Self(Stack::build(
            "",
            vec![throttle],
            surroundings,
            &mut Vec::new(),
        ))
    }

    /// Whether one more of that key passes, which is then counted.
    #[must_use]
    pub fn check(&self, key: &[u8]) -> bool {
        self.0.admits(key)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
