//! The algorithms, as pure functions of state, rate, now and cost. None reads a clock, locks or allocates without bound.
//!
//! ```text
//! sliding    entries of (until, count), 66 at most: each request counts until a whole period after the end of its
//!            sub-window (a 64th of the period) or, where 64 or fewer are allowed, after its own nanosecond
//! paced      GCRA: the time at which the bucket will be full again
//! calendar   the end of the present window, and what was counted in it
//! ```
//!
//! A state heals: what lies further ahead than any request could have put it (the clock was stepped back, the rate was
//! shortened) is brought back to there, so that nobody is refused for longer than a period.

mod calendar;
mod paced;
mod sliding;

pub(crate) use calendar::Calendar;
pub(crate) use paced::Paced;
pub(crate) use sliding::Sliding;

use crate::rate::Rate;

/// Now, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// On a clock that nobody steps.
    pub(crate) steady: u64,
    /// Since 1970-01-01T00:00:00Z: for calendars.
    pub(crate) wall: u64,
}

/// What a request was entered under, to give some of it back later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Receipt(pub(crate) u64);

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) left: u32,
    /// Nanoseconds until all of it is there again.
    pub(crate) full_in: u64,
}

/// What is remembered of one key under one rate.
pub(crate) trait State: Clone + Default {
    /// Forgets what has run off, and heals: before anything else is asked at a moment.
    fn turn(&mut self, rate: &Rate, now: Moment);

    /// Nanoseconds until a request of that cost passes; 0 is now. What costs more than the rate ever allows never passes, and
    /// waits a period.
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64;

    /// Enters a request, whether or not it passes: after `wait` has said so, or for a cost that is known afterwards.
    fn take(&mut self, rate: &Rate, now: Moment, cost: u32) -> Receipt;

    /// Takes back some of what was entered; what has run off by itself, or cannot be told from what others entered later, stays.
    fn give_back(&mut self, rate: &Rate, now: Moment, receipt: Receipt, cost: u32);

    fn room(&self, rate: &Rate, now: Moment) -> Room;

    /// Whether a new state would be as good.
    fn is_idle(&self, now: Moment) -> bool;
}

#[cfg(test)]
mod tests;
