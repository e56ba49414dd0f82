use super::{Expires, Moment, Room, State};
use crate::rate::Rate;
use crate::throttle::limiter::standing::Receipt;

/// In how many parts a period is counted.
// More parts would be closer to exact, but each takes memory for every caller. With 64, a rate is
// at most 2 % stricter than it says.
const PARTS: u64 = 64;
/// The sub-windows that are live at once: those of a period, the present one, and one that is cut.
const MOST_ENTRIES: usize = PARTS as usize + 2;

/// Never more than N in any window.
///
/// Each entry says until when it counts: a period after it was last used, so that nobody waits for
/// longer, and none of them depends on the rate under which it was made.
#[derive(Clone)]
pub(crate) enum Sliding {
    /// Most keys are seen once in a while: they need no memory but their place in a table.
    One {
        until: u64,
        count: u32,
    },
    Many(Box<Log>),
}

#[derive(Clone)]
pub(crate) struct Log {
    total: u32,
    /// By `until`, none earlier than the one before.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    until: u64,
    count: u32,
}

impl Default for Sliding {
    fn default() -> Self {
        Self::One { until: 0, count: 0 }
    }
}

impl Sliding {
    fn total(&self) -> u32 {
        match self {
            Self::One { count, .. } => *count,
            Self::Many(log) => log.total,
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let (one, many) = match self {
            Self::One { until, count } => (
                Some(Entry {
                    until: *until,
                    count: *count,
                }),
                [].as_slice(),
            ),
            Self::Many(log) => (None, log.entries.as_slice()),
        };
        one.into_iter().chain(many.iter().copied())
    }

    fn last_until(&self) -> u64 {
        match self {
            Self::One { until, .. } => *until,
            Self::Many(log) => log.entries.last().map_or(0, |entry| entry.until),
        }
    }
}

impl State for Sliding {
    #[inline]
    fn expire(&mut self, _: &Rate, now: Moment) {
        let now = now.steady;
        match self {
            Self::One { until, count } => {
                if *until <= now {
                    *count = 0;
                }
            }
            Self::Many(log) => {
                log.expire(now);
                if log.entries.is_empty() {
                    // Gives the list back: a caller who has been away for a period needs no memory
                    // of its own.
                    *self = Self::default();
                }
            }
        }
    }

    /// A rate that was shortened leaves entries further ahead than any request of now could. They
    /// are cut, lest a caller wait for longer than the new period.
    #[inline]
    fn heal(&mut self, rate: &Rate, now: Moment) {
        let horizon = now.steady.saturating_add(rate.nanos());
        match self {
            Self::One { until, .. } => *until = (*until).min(horizon),
            Self::Many(log) => log.cut(horizon),
        }
    }

    fn join(&mut self, other: Self, _: Moment) {
        let mut entries: Vec<Entry> = self.entries().chain(other.entries()).collect();
        entries.retain(|entry| entry.count > 0);
        entries.sort_unstable_by_key(|entry| entry.until);
        let mut log = Log {
            total: self.total().saturating_add(other.total()),
            entries: Vec::new(),
        };
        for entry in entries {
            log.make_room();
            log.entries.push(entry);
        }
        *self = Self::Many(Box::new(log));
    }

    #[inline]
    fn wait(&self, rate: &Rate, now: Moment, cost: u32) -> u64 {
        let wanted = self.total().saturating_add(cost);
        if wanted <= rate.count() {
            return 0;
        }
        if cost > rate.count() {
            // It will never pass. A wait is never said to be longer than a period, so that is what
            // is told.
            return rate.nanos();
        }
        let mut too_many = wanted - rate.count();
        for entry in self.entries() {
            too_many = too_many.saturating_sub(entry.count);
            if too_many == 0 {
                return entry.until.saturating_sub(now.steady);
            }
        }
        // Not reached: the cost alone fits, and the entries sum up to `total` at least.
        rate.nanos()
    }

    /// What costs nothing enters nothing: an entry of it would keep its place among those that are
    /// live, and push two that were paid for into one.
    #[inline]
    fn take(&mut self, rate: &Rate, now: Moment, cost: u32) -> Receipt {
        if cost == 0 {
            return Receipt::default();
        }
        let new = Entry {
            until: now.steady.saturating_add(rate.nanos()),
            count: cost,
        };
        let same_from = same_from(rate, now.steady);
        match self {
            // Nothing counts any more: the place is used again, and no list is made for a single
            // entry.
            Self::One { until, count } if *count == 0 => {
                (*until, *count) = (new.until, cost);
                Receipt(new.until)
            }
            Self::One { until, count } if (same_from..=new.until).contains(until) => {
                *until = new.until;
                *count = count.saturating_add(cost);
                Receipt(*until)
            }
            Self::One { until, count } => {
                let old = Entry {
                    until: *until,
                    count: *count,
                };
                let entries = if old.until < new.until {
                    vec![old, new]
                } else {
                    vec![new, old]
                };
                *self = Self::Many(Box::new(Log {
                    total: count.saturating_add(cost),
                    entries,
                }));
                Receipt(new.until)
            }
            Self::Many(log) => log.push(new, same_from),
        }
    }

    /// From that very entry: taken from a later one, it would let through too many once the earlier
    /// has run off. An entry of which nothing is left goes, as what costs nothing never comes.
    fn give_back(&mut self, rate: &Rate, now: Moment, receipt: Receipt, cost: u32) {
        // What has run off counts no more. Taken back all the same, it would forgive another
        // request.
        if receipt.0 <= now.steady {
            return;
        }
        match self {
            Self::One { until, count } if is_of(rate, *until, receipt) => {
                *count = count.saturating_sub(cost)
            }
            Self::One { .. } => {}
            Self::Many(log) => log.give_back(rate, receipt, cost),
        }
        if self.total() == 0 {
            *self = Self::default();
        }
    }

    #[inline]
    fn room(&self, rate: &Rate, now: Moment) -> Room {
        let left = rate.count().saturating_sub(self.total());
        Room {
            left,
            full_in: self.last_until().saturating_sub(now.steady),
        }
    }
}

impl Expires for Sliding {
    /// Where all was given back, nothing is left to wait for.
    fn is_idle(&self, now: Moment) -> bool {
        self.total() == 0 || self.last_until() <= now.steady
    }
}

impl Log {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    fn expire(&mut self, now: u64) {
        let gone = self
            .entries
            .iter()
            .take_while(|entry| entry.until <= now)
            .count();
        if gone > 0 {
            let counted: u32 = self.entries[..gone]
                .iter()
                .fold(0, |sum, entry| entry.count.saturating_add(sum));
            self.total = self.total.saturating_sub(counted);
            self.entries.drain(..gone);
        }
    }

    #[inline]
    fn cut(&mut self, horizon: u64) {
        // Entries are sorted by `until`, so only the last ones can lie beyond the horizon.
        for entry in self
            .entries
            .iter_mut()
            .rev()
            .take_while(|entry| entry.until > horizon)
        {
            entry.until = horizon;
        }
    }

    fn push(&mut self, new: Entry, same_from: u64) -> Receipt {
        self.total = self.total.saturating_add(new.count);
        match self.entries.last_mut() {
            Some(last) if last.until > new.until => self.push_between(new, same_from),
            Some(last) if last.until >= same_from => {
                last.until = new.until;
                last.count = last.count.saturating_add(new.count);
            }
            _ => {
                self.make_room();
                self.entries.push(new);
            }
        }
        Receipt(new.until)
    }

    /// Where callers with several rates share a state, the last entry may be one that counts for
    /// longer. Added to that, this one would count for as long.
    #[cold]
    fn push_between(&mut self, new: Entry, same_from: u64) {
        let at = self
            .entries
            .partition_point(|entry| entry.until <= new.until);
        if let Some(before) = self.entries[..at].last_mut()
            && before.until >= same_from
        {
            before.until = new.until;
            before.count = before.count.saturating_add(new.count);
            return;
        }
        let length = self.entries.len();
        self.make_room();
        // Where the two oldest have become one, it moves up.
        let at = at.saturating_sub(length - self.entries.len());
        self.entries.insert(at, new);
    }

    fn give_back(&mut self, rate: &Rate, receipt: Receipt, cost: u32) {
        let mut entries = self.entries.iter_mut();
        let Some(at) = entries.position(|entry| is_of(rate, entry.until, receipt)) else {
            return;
        };
        let back = self.entries[at].count.min(cost);
        self.entries[at].count -= back;
        self.total = self.total.saturating_sub(back);
        if self.entries[at].count == 0 {
            self.entries.remove(at);
        }
    }

    /// Grows by doubling, but never beyond what can be live. Rates that change often could leave
    /// more entries: then the two oldest become one that counts as long as the later of them.
    fn make_room(&mut self) {
        let length = self.entries.len();
        if length >= MOST_ENTRIES {
            self.entries[1].count = self.entries[1].count.saturating_add(self.entries[0].count);
            self.entries.remove(0);
        } else if length == self.entries.capacity() {
            self.entries
                .reserve_exact(length.clamp(2, MOST_ENTRIES - length));
        }
    }
}

/// The length of a sub-window; 0 where entries are exact.
#[inline]
fn part(rate: &Rate) -> u64 {
    if u64::from(rate.count()) <= PARTS {
        0
    } else {
        rate.nanos() / PARTS
    }
}

/// An entry that counts until then or later takes in a request of now: it was last used in the same
/// sub-window.
#[inline]
fn same_from(rate: &Rate, now: u64) -> u64 {
    let into_it = now.checked_rem(part(rate)).unwrap_or(0);
    (now - into_it).saturating_add(rate.nanos())
}

/// Whether what has that receipt is in an entry that counts until then. Others of the same
/// sub-window may have come to it since.
fn is_of(rate: &Rate, until: u64, receipt: Receipt) -> bool {
    let used = until.saturating_sub(rate.nanos());
    let entered = receipt.0.saturating_sub(rate.nanos());
    match part(rate) {
        0 => used == entered,
        part => used >= entered && used / part == entered / part,
    }
}
