use super::counters::Counters;
use super::key::{Key, Keys, Salt};
use super::table::Lineage;
use super::tally::Tally;
use crate::rate::Rate;
use std::sync::Arc;

/// A rule's place in a [`MemoryLimiter`](super::MemoryLimiter).
pub(crate) struct Counter {
    counters: Arc<Counters>,
    rate: Rate,
    salt: Salt,
    lineage: Lineage,
}

impl Counter {
    pub(super) fn new(counters: Arc<Counters>, rate: Rate, salt: Salt, lineage: Lineage) -> Self {
        Self {
            counters,
            rate,
            salt,
            lineage,
        }
    }

    /// The key of a caller under the rule's own rate.
    #[inline]
    pub(crate) fn key(&self, caller: Key) -> Key {
        caller.under(self.salt)
    }

    /// The key of a caller under that rate: each is counted by itself.
    pub(crate) fn key_under(&self, caller: Key, rate: &Rate, keys: &Keys) -> Key {
        if *rate == self.rate {
            self.key(caller)
        } else {
            caller.under(keys.salt(rate))
        }
    }

    /// One request of a key.
    #[inline]
    pub(crate) fn tally(&self, key: Key, rate: Rate, cost: u32) -> Tally<'_> {
        Tally {
            counters: &self.counters,
            lineage: &self.lineage,
            key,
            rate,
            cost,
            refuses: true,
        }
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}
