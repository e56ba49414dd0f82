use super::Moment;
use crate::rate::Rate;
use crate::throttle::limiter::standing::Receipt;

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) left: u32,
    /// Nanoseconds until all of it is there again.
    pub(crate) full_in: u64,
}

/// What a table can keep, and forget when its time is over.
pub(crate) trait Expires: Clone + Default {
    /// Whether a new one would be as good.
    fn is_idle(&self, now: Moment) -> bool;
}

/// What is remembered of one key under one rate.
pub(crate) trait State: Expires {
    /// Forgets what has run off, and heals: before anything else is asked at a moment.
    #[inline]
    fn turn(&mut self, rate: &Rate, now: Moment) {
        self.expire(rate, now);
        self.heal(rate, now);
    }

    /// Forgets what has run off, and that alone: instead of `turn` where callers with other rates
    /// share the state. What is too far ahead for one rate may be another's.
    fn expire(&mut self, rate: &Rate, now: Moment);

    /// Brings back what lies further ahead than any request of that rate could have put it.
    fn heal(&mut self, rate: &Rate, now: Moment);

    /// Counts what is in another one as well. Each of the two is new or not idle.
    fn join(&mut self, other: Self, now: Moment);

    /// Nanoseconds until a request of that cost passes; 0 is now. What costs more than the rate
    /// ever allows never passes, and waits a period.
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64;

    /// Enters a request, whether or not it passes: after `wait` has said so, or for a cost that is
    /// known afterwards.
    fn take(&mut self, rate: &Rate, now: Moment, cost: u32) -> Receipt;

    /// Takes back some of what was entered; what has run off by itself, or cannot be told from what
    /// others entered later, stays.
    fn give_back(&mut self, rate: &Rate, now: Moment, receipt: Receipt, cost: u32);

    fn room(&self, rate: &Rate, now: Moment) -> Room;
}
