use super::limiter::{Counter, MemoryLimiter, RuleId};
use crate::clock::SystemClock;
use crate::rate::Rate;
use std::fmt;

/// One rule in memory by itself, on the system's clock and without a request around it: for
/// benches.
///
/// ```
/// use tower_auth::test_util::BareRule;
///
/// let rule = BareRule::new("2/day".parse()?, 1_000);
/// assert!(rule.check(b"anna") && rule.check(b"anna") && !rule.check(b"anna"));
/// assert!(rule.check(b"ben"));
/// # Ok::<(), tower_auth::throttle::RateError>(())
/// ```
pub struct BareRule {
    limiter: MemoryLimiter,
    counter: Counter,
    rate: Rate,
}

impl BareRule {
    /// It keeps track of so many keys.
    #[must_use]
    pub fn new(rate: Rate, most_keys: usize) -> Self {
        let limiter = MemoryLimiter::new();
        let id = RuleId::new("", "bare");
        let counter = limiter.rule(&id, rate, most_keys, &SystemClock);
        Self {
            limiter,
            counter,
            rate,
        }
    }

    /// Whether one more of that key passes, which is then counted.
    #[must_use]
    pub fn check(&self, key: &[u8]) -> bool {
        let key = self.counter.key(self.limiter.keys().of(b't', &[key]));
        self.counter
            .tally(key, self.rate, 1)
            .enter(&SystemClock)
            .wait
            == 0
    }
}

impl fmt::Debug for BareRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareRule")
            .field("rate", &self.rate)
            .field("callers", &self.counter.counters().len())
            .finish_non_exhaustive()
    }
}
