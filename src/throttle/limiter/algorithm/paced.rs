use super::{Expires, Moment, Room, State};
use crate::rate::{Form, Rate};
use crate::throttle::limiter::standing::Receipt;

/// GCRA: the time at which the bucket will be full again (the "theoretical arrival time").
#[derive(Clone, Default)]
pub(crate) struct Paced {
    full_at: u64,
}

impl State for Paced {
    /// A bucket that has been full for a while is full and no more: idle time is not saved up for a
    /// second burst.
    #[inline]
    fn expire(&mut self, _: &Rate, now: Moment) {
        self.full_at = self.full_at.max(now.steady);
    }

    /// What a longer rate or a clock that was stepped back has left.
    #[inline]
    fn heal(&mut self, rate: &Rate, now: Moment) {
        self.full_at = self.full_at.min(furthest(rate, now));
    }

    fn join(&mut self, other: Self, now: Moment) {
        let more = other.full_at.saturating_sub(now.steady);
        self.full_at = self.full_at.max(now.steady).saturating_add(more);
    }

    #[inline]
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64 {
        // More than the bucket ever holds would never pass. A wait is never said to be longer than
        // a period.
        if cost > rate.most() {
            return rate.nanos();
        }
        let full_at = self.full_at.saturating_add(length(rate, cost));
        full_at.saturating_sub(now.steady.saturating_add(depth(rate)))
    }

    /// The receipt says where the stretch begins that the request occupies. Where a debt was cut
    /// short, that may be before the clock began: hence its sign.
    #[inline]
    fn take(&mut self, rate: &Rate, now: Moment, cost: u32) -> Receipt {
        let length = length(rate, cost);
        let furthest = furthest(rate, now).max(self.full_at);
        self.full_at = self.full_at.saturating_add(length).min(furthest);
        let begin = self.full_at.cast_signed().saturating_sub_unsigned(length);
        Receipt(begin.cast_unsigned())
    }

    /// From where the stretch begins, as far as that does not lie in the past, which has run off.
    /// So what is given back in parts is never more than is left of it, and forgives nobody
    /// else.
    fn give_back(&mut self, rate: &Rate, now: Moment, receipt: Receipt, cost: u32) {
        let begin = receipt.0.cast_signed();
        let end = begin.saturating_add_unsigned(length(rate, cost));
        let left = end.saturating_sub(begin.max(now.steady.cast_signed()));
        self.full_at = self.full_at.saturating_sub(left.max(0).cast_unsigned());
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

/// How long a request of that cost occupies the bucket.
#[inline]
fn length(rate: &Rate, cost: u32) -> u64 {
    interval(rate).saturating_mul(cost.into())
}

/// When the bucket is full again at the latest. A debt, of costs that came to light afterwards, is
/// one that the next request waits out within a period.
#[inline]
fn furthest(rate: &Rate, now: Moment) -> u64 {
    let debt = rate.nanos().saturating_sub(interval(rate));
    now.steady.saturating_add(depth(rate)).saturating_add(debt)
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
