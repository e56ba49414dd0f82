use crate::throttle::limiter::{Expires, Moment};

/// Until when something is known, in nanoseconds of the steady clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Until(pub(super) u64);

impl Expires for Until {
    fn is_idle(&self, now: Moment) -> bool {
        self.0 <= now.steady
    }
}
