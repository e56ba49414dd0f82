use crate::clock::nanos;
use std::time::Duration;

/// How a caller stands with one rule, after a request was counted or refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Nanoseconds, as all that is counted by here.
    pub(crate) wait: u64,
    pub(crate) left: u32,
    pub(crate) full_in: u64,
    pub(crate) receipt: Receipt,
}

/// What a limiter entered a request under, so that it can give some of it back: a number of its
/// own, which nobody else reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt(pub u64);

impl Standing {
    /// The rule lets the request pass; `left` more could follow at once, and the whole of the rate
    /// is there again after `full_in`.
    #[must_use]
    pub fn passes(left: u32, full_in: Duration, receipt: Receipt) -> Self {
        Self {
            wait: 0,
            left,
            full_in: nanos(full_in),
            receipt,
        }
    }

    /// The rule does not: the request may come again after `wait`, which is at most a period.
    #[must_use]
    pub fn waits(wait: Duration, left: u32, full_in: Duration) -> Self {
        Self {
            wait: nanos(wait).max(1),
            left,
            full_in: nanos(full_in),
            receipt: Receipt::default(),
        }
    }

    /// How long until the request would pass; zero where it does.
    #[must_use]
    pub fn wait(&self) -> Duration {
        Duration::from_nanos(self.wait)
    }

    /// How many more could follow at once.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// How long until the whole of the rate is there again.
    #[must_use]
    pub fn full_in(&self) -> Duration {
        Duration::from_nanos(self.full_in)
    }

    /// What the request was entered under; of no meaning where it was not entered.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.receipt
    }
}
