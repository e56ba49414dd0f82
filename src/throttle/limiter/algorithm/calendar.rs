use super::{Expires, Moment, Room, State};
use crate::rate::Rate;
use crate::throttle::limiter::standing::Receipt;

const DAY: u64 = 24 * 3600 * 1_000_000_000;
/// 1970-01-01 was a Thursday: three days earlier it was Monday.
const SINCE_MONDAY: u64 = 3 * DAY;

/// N in each calendar window.
#[derive(Clone, Default)]
pub(crate) struct Calendar {
    end: u64,
    count: u32,
}

impl State for Calendar {
    #[inline]
    fn expire(&mut self, rate: &Rate, now: Moment) {
        if self.end <= now.wall {
            self.count = 0;
        }
        self.end = self.end.max(end(rate, now.wall));
    }

    /// A clock that was stepped back leaves an end that lies ahead. The count stays, lest a step
    /// forgive a caller, but the end becomes that of the present window, lest the caller wait
    /// longer.
    #[inline]
    fn heal(&mut self, rate: &Rate, now: Moment) {
        self.end = end(rate, now.wall);
    }

    fn join(&mut self, other: Self, _: Moment) {
        self.end = self.end.max(other.end);
        self.count = self.count.saturating_add(other.count);
    }

    #[inline]
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64 {
        if self.count.saturating_add(cost) <= rate.count() {
            0
        } else if cost > rate.count() {
            rate.nanos()
        } else {
            self.end.saturating_sub(now.wall)
        }
    }

    #[inline]
    fn take(&mut self, _: &Rate, _: Moment, cost: u32) -> Receipt {
        self.count = self.count.saturating_add(cost);
        Receipt(self.end)
    }

    fn give_back(&mut self, _: &Rate, now: Moment, receipt: Receipt, cost: u32) {
        // What was counted in a window that has ended went with it. Taken back now, it would
        // forgive a request of the present window.
        if self.end == receipt.0 && now.wall < self.end {
            self.count = self.count.saturating_sub(cost);
        }
    }

    #[inline]
    fn room(&self, rate: &Rate, now: Moment) -> Room {
        let full_in = if self.count == 0 {
            0
        } else {
            self.end.saturating_sub(now.wall)
        };
        Room {
            left: rate.count().saturating_sub(self.count),
            full_in,
        }
    }
}

impl Expires for Calendar {
    fn is_idle(&self, now: Moment) -> bool {
        self.count == 0 || self.end <= now.wall
    }
}

/// The end of the window of now. Windows begin at midnight UTC or divide the day; weeks begin on
/// Monday.
#[inline]
fn end(rate: &Rate, now: u64) -> u64 {
    let period = rate.nanos();
    let offset = if period > DAY { SINCE_MONDAY } else { 0 };
    let index = now.saturating_add(offset) / period;
    (index.saturating_add(1))
        .saturating_mul(period)
        .saturating_sub(offset)
}
