use super::{Expires, Moment, Room, State};
use crate::rate::{Form, Rate};
use crate::throttle::limiter::standing::Receipt;

/// GCRA: the time at which the bucket will be full again (the "theoretical arrival time").
#[derive(Clone, Default)]
pub(crate) struct Paced {
    full_at: u64,
}

impl State for Paced {
    /// A debt from costs that came to light afterwards is at most a period.
    #[inline]
    fn turn(&mut self, rate: &Rate, now: Moment) {
        let furthest = now
            .steady
            .saturating_add(depth(rate))
            .saturating_add(rate.nanos());
        self.full_at = self.full_at.clamp(now.steady, furthest);
    }

    #[inline]
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64 {
        if cost > rate.most() {
            return rate.nanos();
        }
        let full_at = self
            .full_at
            .saturating_add(interval(rate).saturating_mul(cost.into()));
        full_at.saturating_sub(now.steady.saturating_add(depth(rate)))
    }

    #[inline]
    fn take(&mut self, rate: &Rate, _: Moment, cost: u32) -> Receipt {
        self.full_at = self
            .full_at
            .saturating_add(interval(rate).saturating_mul(cost.into()));
        Receipt(self.full_at)
    }

    /// The request occupies the last stretch before its receipt; what of that lies in the past has
    /// run off.
    fn give_back(&mut self, rate: &Rate, now: Moment, receipt: Receipt, cost: u32) {
        let taken = interval(rate).saturating_mul(cost.into());
        let begin = receipt.0.saturating_sub(taken).max(now.steady);
        self.full_at = self.full_at.saturating_sub(receipt.0.saturating_sub(begin));
    }

    #[inline]
    fn room(&self, rate: &Rate, now: Moment) -> Room {
        let full_in = self.full_at.saturating_sub(now.steady);
        let left = depth(rate).saturating_sub(full_in) / interval(rate);
        Room {
            left: u32::try_from(left).unwrap_or(u32::MAX),
            full_in,
        }
    }
}

impl Expires for Paced {
    fn is_idle(&self, now: Moment) -> bool {
        self.full_at <= now.steady
    }
}

/// The time between two requests at an even pace, rounded up so that rounding never admits more.
#[inline]
fn interval(rate: &Rate) -> u64 {
    rate.nanos().div_ceil(rate.count().into())
}

/// The time in which an empty bucket fills.
#[inline]
fn depth(rate: &Rate) -> u64 {
    let burst = if let Form::Paced { burst } = rate.form() {
        burst
    } else {
        rate.count()
    };
    interval(rate).saturating_mul(burst.into())
}
