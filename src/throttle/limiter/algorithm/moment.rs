use crate::clock::{Clock, nanos};
use std::time::UNIX_EPOCH;

/// Now, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// On a clock that nobody steps.
    pub(crate) steady: u64,
    /// Since 1970-01-01T00:00:00Z: for calendars.
    pub(crate) wall: u64,
}

impl Moment {
    /// For rates that look at no calendar, which are nearly all: the wall clock is not read.
    #[inline]
    pub(crate) fn steady(clock: &dyn Clock) -> Self {
        Self {
            steady: nanos(clock.steady()),
            wall: 0,
        }
    }

    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            // A wall clock before 1970 counts as 1970: no clock may make a request panic.
            wall: clock.now().duration_since(UNIX_EPOCH).map_or(0, nanos),
            ..Self::steady(clock)
        }
    }
}
