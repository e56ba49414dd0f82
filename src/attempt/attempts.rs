use super::attempt_limits::AttemptLimits;
use super::look_ups::LookUps;
use super::until::Until;
use crate::address::Addresses;
use crate::clock::{Clock, nanos};
use crate::config::ConfigProblem;
use crate::event::peer_unknown;
use crate::rate::Rate;
use crate::throttle::limiter::{
    Counters, Key, Keys, Lineage, MOST_KEYS, Moment, Receipt, Table, Tally, enter_all,
};
use crate::turns::{Crowded, Source, Turn};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

/// For how long, and how many, sources are remembered from which an account's owner has signed in.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
const MOST_KNOWN: usize = 100_000;

/// Counts attempts. A realm has one, so that no door to the same secrets is left uncounted.
pub(crate) struct Attempts {
    pairs: Limit,
    accounts: Limit,
    sources: Limit,
    sign_ins: Limit,
    registrations: Limit,
    /// Accounts, and names, and the sources their owners have signed in from.
    known: Table<Until>,
    look_ups: LookUps,
    keys: Keys,
    addresses: Arc<Addresses>,
    clock: Arc<dyn Clock>,
    /// Whether it was told that requests come from nobody knows where: once is enough.
    told: Once,
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
    /// The same, of an attempt that is not refused for what else comes from there.
    Observed(Key),
    /// A source, for each password that is checked.
    SignIn(Key),
    /// A source, for each user that registers.
    Registration(Key),
}

impl Limit {
    fn new(rate: Rate) -> Self {
        Self {
            counters: Counters::new(MOST_KEYS),
            rate,
        }
    }
}

impl Attempts {
    pub(crate) fn build(
        limits: AttemptLimits,
        addresses: Arc<Addresses>,
        clock: Arc<dyn Clock>,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        let limits = limits.rates(problems).map(Limit::new);
        let [pairs, accounts, sources, sign_ins, registrations] = limits;
        Self {
            pairs,
            accounts,
            sources,
            sign_ins,
            registrations,
            known: Table::new(MOST_KNOWN),
            look_ups: LookUps::new(),
            keys: Keys::new(),
            addresses,
            clock,
            told: Once::new(),
        }
    }

    /// For what is no attempt: it counts as these do, and nobody looks at what it has counted.
    pub(crate) fn of_nobody(other: &Self) -> Self {
        let told = Once::new();
        // Marked as told: a rehearsal must not write into the log that requests come from nowhere.
        told.call_once(|| {});
        Self {
            pairs: Limit::new(other.pairs.rate),
            accounts: Limit::new(other.accounts.rate),
            sources: Limit::new(other.sources.rate),
            sign_ins: Limit::new(other.sign_ins.rate),
            registrations: Limit::new(other.registrations.rate),
            known: Table::new(MOST_KNOWN),
            look_ups: LookUps::new(),
            keys: Keys::new(),
            addresses: Arc::clone(&other.addresses),
            clock: Arc::clone(&other.clock),
            told,
        }
    }

    /// A request's credential is tried, and its server does not tell where it comes from: half of
    /// the limits are off then.
    pub(crate) fn tell_of_no_peer(&self) {
        self.told.call_once(peer_unknown);
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
    pub(super) fn enter(&self, counted: &[Counted]) -> Result<Vec<(Counted, Receipt)>, u64> {
        let tallies: Vec<Tally<'_>> = counted.iter().map(|counted| self.tally(*counted)).collect();
        let standings = enter_all(&tallies, &*self.clock);
        let mut entered = Vec::with_capacity(counted.len());
        let mut longest = 0;
        for ((counted, tally), standing) in counted.iter().zip(&tallies).zip(standings) {
            // Only what was entered is given back later. One that is merely observed passes beyond
            // its rate, and is not entered then.
            if standing.wait == 0 {
                entered.push((*counted, standing.receipt));
            } else if tally.refuses {
                longest = longest.max(standing.wait);
            }
        }
        if longest == 0 {
            Ok(entered)
        } else {
            Err(longest)
        }
    }

    /// How long a source has to wait before it may be wrong again, in nanoseconds; 0 is not at all.
    pub(super) fn wait(&self, source: Key) -> u64 {
        self.tally(Counted::Source(source)).wait(&*self.clock)
    }

    /// A source was wrong, whether or not it might be.
    pub(super) fn charge(&self, source: Key) {
        self.tally(Counted::Source(source)).take(&*self.clock);
    }

    /// Takes an attempt out of its counter again, because it was right or failed through no fault
    /// of its own.
    pub(super) fn give_back(&self, counted: Counted, receipt: Receipt) {
        self.tally(counted).give_back(receipt, &*self.clock);
    }

    /// Empties a counter: its owner has come, and what they mistyped before is forgiven.
    pub(super) fn forget(&self, counted: Counted) {
        self.tally(counted).forget();
    }

    fn tally(&self, counted: Counted) -> Tally<'_> {
        let (limit, key) = match counted {
            Counted::Pair(key) => (&self.pairs, key),
            Counted::Account(key) => (&self.accounts, key),
            Counted::Source(key) | Counted::Observed(key) => (&self.sources, key),
            Counted::SignIn(key) => (&self.sign_ins, key),
            Counted::Registration(key) => (&self.registrations, key),
        };
        Tally {
            counters: &limit.counters,
            lineage: Lineage::NONE,
            key,
            rate: limit.rate,
            cost: 1,
            refuses: !matches!(counted, Counted::Observed(_)),
        }
    }

    /// Whether an account's owner has signed in from there lately.
    pub(super) fn is_known(&self, place: Key) -> bool {
        let now = self.now();
        // A look makes no place: else every name that somebody tries would take one from an owner.
        match self.known.shard(place).peek(place) {
            Some(known) => now.steady < known.0,
            None => false,
        }
    }

    /// Remembers the place from now on. Where the table is full of others, it does not: then the
    /// budget holds for it too.
    pub(super) fn remember(&self, place: Key) {
        let now = self.now();
        if let Some(known) = self.known.shard(place).own_or_new(place, now) {
            *known = Until(now.steady.saturating_add(nanos(KNOWN_FOR)));
        }
    }

    /// Waits until somebody from there may look a key up.
    pub(super) async fn turn(&self, source: Source) -> Result<Turn, Crowded> {
        self.look_ups.turn(source).await
    }

    /// Whether a credential was good when it was asked about last.
    pub(super) fn was_good(&self, credential: Key) -> bool {
        self.look_ups.was_good(credential, self.now())
    }

    /// Whether a credential was refused so lately that nobody need be asked about it.
    pub(super) fn is_wrong(&self, credential: Key) -> bool {
        self.look_ups.is_wrong(credential, self.now())
    }

    pub(super) fn note_good(&self, credential: Key) {
        self.look_ups.note_good(credential, self.now());
    }

    pub(super) fn note_wrong(&self, credential: Key) {
        self.look_ups.note_wrong(credential, self.now());
    }

    pub(super) fn forget_good(&self, credential: Key) {
        self.look_ups.forget_good(credential);
    }

    /// The key of that digest has come to be: whoever presented it before it was there need not
    /// wait.
    pub(crate) fn key_came_to_be(&self, digest: &[u8]) {
        self.look_ups.forget_wrong(self.api_key(digest));
    }

    /// What a key of that digest is counted by.
    pub(super) fn api_key(&self, digest: &[u8]) -> Key {
        self.key(b'k', &[digest])
    }

    fn now(&self) -> Moment {
        Moment::steady(&*self.clock)
    }

    /// How many counters of accounts and addresses are kept, for a test of what leaves one.
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
            .field("sign_ins_per_address", &self.sign_ins.rate)
            .field("registrations_per_address", &self.registrations.rate)
            .finish_non_exhaustive()
    }
}
