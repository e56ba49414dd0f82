//! The algorithms, as pure functions of state, rate, now and cost. None reads a clock, locks or
//! allocates without bound.
//!
//! ```text
//! sliding    entries of (until, count), 66 at most: each request counts until a whole period after the last request
//!            of its sub-window (a 64th of the period) or, where 64 or fewer are allowed, after its own nanosecond
//! paced      GCRA: the time at which the bucket will be full again
//! calendar   the end of the present window, and what was counted in it
//! ```
//!
//! What costs nothing enters nothing, and what is given back leaves nothing: otherwise requests
//! that are free would keep alive what was paid for.
//!
//! A state heals: what lies further ahead than any request could have put it (the clock was stepped
//! back, the rate was shortened) is brought back to there, so that nobody is refused for longer
//! than a period. One that callers with several rates share only expires: it would else forgive
//! those with long periods whenever one with a short period comes.

mod calendar;
mod moment;
mod paced;
mod sliding;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use calendar::Calendar;
pub(crate) use moment::Moment;
pub(crate) use paced::Paced;
pub(crate) use sliding::Sliding;
pub(crate) use state::{Expires, Room, State};
