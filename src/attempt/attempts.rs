use super::attempt_limits::AttemptLimits;
use crate::address::Addresses;
use crate::clock::{Clock, nanos};
use crate::config::ConfigProblem;
use crate::rate::Rate;
use crate::throttle::limiter::{
    Counters, Expires, Key, Keys, Lineage, MOST_KEYS, Moment, Receipt, Standing, Table, Tally,
    enter_all,
};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// For how long, and how many, sources are remembered from which an account's owner has signed in.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
const MOST_KNOWN: usize = 100_000;

/// Counts attempts. A realm has one, so that no door to the same secrets is left uncounted.
pub(crate) struct Attempts {
    pairs: Limit,
    accounts: Limit,
    sources: Limit,
    /// Accounts and the sources their owners have signed in from.
    known: Table<Known>,
    keys: Keys,
    addresses: Arc<Addresses>,
    clock: Arc<dyn Clock>,
}

/// How often, and who has been counted.
struct Limit {
    counters: Counters,
    rate: Rate,
}

/// Under which limit something is counted, and by what.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    /// By an account and the one source that tries it.
    Pair(Key),
    /// An account from everywhere else than where its owner is known.
    Account(Key),
    /// A source, whatever it presents.
    Source(Key),
}

/// Until when an owner is known from a source, on the steady clock.
#[derive(Clone, Debug, Default)]
struct Known(u64);

impl Expires for Known {
    fn is_idle(&self, now: Moment) -> bool {
        self.0 <= now.steady
    }
}

impl Attempts {
    pub(crate) fn build(
        limits: AttemptLimits,
        addresses: Arc<Addresses>,
        clock: Arc<dyn Clock>,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        let [pairs, accounts, sources] = limits.rates(problems).map(|rate| Limit {
            counters: Counters::new(MOST_KEYS),
            rate,
        });
        Self {
            pairs,
            accounts,
            sources,
            known: Table::new(MOST_KNOWN),
            keys: Keys::new(),
            addresses,
            clock,
        }
    }

    /// As much of an address as counts.
    pub(super) fn source(&self, peer: IpAddr) -> [u8; 16] {
        match self.addresses.source(peer) {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }

    pub(super) fn key(&self, kind: u8, parts: &[&[u8]]) -> Key {
        self.keys.of(kind, parts)
    }

    /// Counts an attempt under all of these, or under none where there were too many. `Err` is how
    /// long to wait, in nanoseconds.
    pub(super) fn enter(&self, counted: &[Counted]) -> Result<Vec<Receipt>, u64> {
        let tallies: Vec<Tally<'_>> = counted.iter().map(|counted| self.tally(*counted)).collect();
        let standings = enter_all(&tallies, &*self.clock);
        let waits = standings.iter().map(|standing| standing.wait);
        match waits.max() {
            None | Some(0) => Ok(standings.iter().map(Standing::receipt).collect()),
            Some(wait) => Err(wait),
        }
    }

    /// As if it had not been entered.
    pub(super) fn give_back(&self, counted: Counted, receipt: Receipt) {
        self.tally(counted).give_back(receipt, &*self.clock);
    }

    /// As if nothing had ever been.
    pub(super) fn forget(&self, counted: Counted) {
        self.tally(counted).forget();
    }

    fn tally(&self, counted: Counted) -> Tally<'_> {
        let (limit, key) = match counted {
            Counted::Pair(key) => (&self.pairs, key),
            Counted::Account(key) => (&self.accounts, key),
            Counted::Source(key) => (&self.sources, key),
        };
        Tally {
            counters: &limit.counters,
            lineage: Lineage::NONE,
            key,
            rate: limit.rate,
            cost: 1,
            refuses: true,
        }
    }

    /// Whether an account's owner has signed in from there lately.
    pub(super) fn is_known(&self, pair: Key) -> bool {
        let now = Moment::steady(&*self.clock);
        match self.known.shard(pair).peek(pair) {
            Some(known) => !known.is_idle(now),
            None => false,
        }
    }

    /// Remembers the place from now on. Where the table is full of others, it does not: then the
    /// budget holds for it too.
    pub(super) fn remember(&self, pair: Key) {
        let now = Moment::steady(&*self.clock);
        if let Some(known) = self.known.shard(pair).own_or_new(pair, now) {
            *known = Known(now.steady.saturating_add(nanos(KNOWN_FOR)));
        }
    }

    /// How many counters are kept.
    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.pairs.counters.len() + self.accounts.counters.len() + self.sources.counters.len()
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts")
            .field("per_account_and_address", &self.pairs.rate)
            .field("per_account", &self.accounts.rate)
            .field("per_address", &self.sources.rate)
            .finish_non_exhaustive()
    }
}
