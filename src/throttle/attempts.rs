//! Between steps 1 and 2: how often may somebody be wrong.

#![cfg_attr(
    not(feature = "basic"),
    allow(dead_code, reason = "only passwords name an account")
)]

use super::address::Addresses;
use super::algorithm::{Receipt, Sliding, State};
use super::key::Key;
use super::rule::Throttle;
use super::stack::{Outcome, QuotaFields, Stack, Step, Surroundings};
use super::table::Table;
use crate::clock::Clock;
use crate::config::ConfigProblem;
use crate::event::Events;
use crate::principal::Subject;
use crate::rate::{Rate, RateError};
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// For how long, and how many, sources are remembered from which an account's owner has signed in.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
const MOST_KNOWN: usize = 100_000;

/// How often credentials may be wrong. It is counted before costly work: before a password is hashed and before a store or a
/// network is asked. Beyond that the answer is 429.
///
/// | counted | by default | stops |
/// |---|---|---|
/// | an account from one address | 10 in 15 minutes | guessing a password |
/// | an account from everywhere | 100 in 15 minutes | the same from many addresses |
/// | an address, whatever it presents | 200 in 15 minutes | trying many accounts, floods |
///
/// - Right passwords are not counted, nor are requests that failed for a reason of the service's own.
/// - From where an owner has signed in within 30 days, what others do to the account does not matter: nobody is locked out by
///   somebody else's guesses, nor by anything for longer than the period.
/// - Accounts are known by the name in the request, without regard to case and spaces, and by their id as well, so that a
///   second name gives no second budget. Names that nobody has are counted alike.
/// - Where the server does not tell the peer's address, the account from everywhere is all that is counted. Behind a proxy,
///   all callers seem to come from it until [`Addresses`] says whom to trust.
/// - Counts are of this process.
///
/// ```
/// use tower_auth::throttle::AttemptLimits;
///
/// let stricter = AttemptLimits::new().per_account_and_address("5/15min").per_account("50/hour");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AttemptLimits {
    pair: Result<Rate, RateError>,
    account: Result<Rate, RateError>,
    address: Result<Rate, RateError>,
}

impl AttemptLimits {
    /// Those of the table.
    pub fn new() -> Self {
        Self {
            pair: "10/15min".parse(),
            account: "100/15min".parse(),
            address: "200/15min".parse(),
        }
    }

    /// One account from one address.
    pub fn per_account_and_address(
        mut self,
        rate: impl TryInto<Rate, Error: Into<RateError>>,
    ) -> Self {
        self.pair = rate.try_into().map_err(Into::into);
        self
    }

    /// One account from all addresses that its owner has not signed in from.
    pub fn per_account(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.account = rate.try_into().map_err(Into::into);
        self
    }

    /// One address.
    pub fn per_address(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.address = rate.try_into().map_err(Into::into);
        self
    }
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts attempts. One is shared by all that verify the same secrets, so that no door is left uncounted.
pub(crate) struct Attempts {
    stack: Arc<Stack>,
    /// Accounts and the sources their owners have signed in from.
    known: Table<Sliding>,
    known_rate: Option<Rate>,
}

/// The rules of the stack, by their place.
const PAIR: usize = 0;
const ACCOUNT: usize = 1;
const ADDRESS: usize = 2;

/// An attempt that is under way, and counted until it has turned out well: whoever goes away in the middle has tried.
#[must_use]
pub(crate) struct Ticket {
    attempts: Arc<Attempts>,
    steps: Vec<Step>,
    receipts: Vec<Receipt>,
    /// The account and where the attempt comes from.
    pair: Option<Key>,
    spared: bool,
}

impl Attempts {
    pub(crate) fn build(
        limits: AttemptLimits,
        addresses: Arc<Addresses>,
        clock: Arc<dyn Clock>,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        let rules = [
            ("pair", limits.pair),
            ("account", limits.account),
            ("address", limits.address),
        ];
        let rule =
            |(name, rate): (&str, Result<Rate, RateError>)| Throttle::of_address(rate).name(name);
        let surroundings = Surroundings {
            addresses,
            clock,
            shown: QuotaFields::Hidden,
            events: Events::default(),
            #[cfg(feature = "redis")]
            limiter: None,
        };
        let stack = Stack::build("", rules.map(rule).into(), surroundings, problems);
        let known_rate = Rate::new(1, KNOWN_FOR).ok();
        Self {
            stack: Arc::new(stack),
            known: Table::new(MOST_KNOWN),
            known_rate,
        }
    }

    /// Counts an attempt on an account, or refuses it where there were too many. `peer` is the whole address.
    pub(crate) fn check(
        self: &Arc<Self>,
        name: &str,
        peer: Option<IpAddr>,
    ) -> Result<Ticket, Rejection> {
        let name = normalised(name);
        let account = self.key(b'n', &[name.as_bytes()]);
        let mut ticket = Ticket {
            attempts: Arc::clone(self),
            steps: Vec::new(),
            receipts: Vec::new(),
            pair: None,
            spared: false,
        };
        let Some(source) = peer.map(|peer| self.source(peer)) else {
            ticket.enter(vec![self.step(ACCOUNT, account)])?;
            return Ok(ticket);
        };
        let pair = self.key(b'N', &[name.as_bytes(), &source]);
        ticket.pair = Some(pair);
        ticket.spared = self.is_known(pair);
        let mut steps = vec![
            self.step(PAIR, pair),
            self.step(ADDRESS, self.key(b'a', &[&source])),
        ];
        if !ticket.spared {
            steps.push(self.step(ACCOUNT, account));
        }
        ticket.enter(steps)?;
        Ok(ticket)
    }

    /// Refuses whoever was wrong too often, without counting: for credentials that name no account.
    pub(crate) fn check_address(&self, peer: Option<IpAddr>) -> Result<(), Rejection> {
        let Some(source) = peer.map(|peer| self.source(peer)) else {
            return Ok(());
        };
        let wait = self
            .stack
            .peek(&self.step(ADDRESS, self.key(b'a', &[&source])));
        if wait == 0 {
            Ok(())
        } else {
            Err(refused(wait))
        }
    }

    /// A credential that names no account was wrong.
    pub(crate) fn count_address(&self, peer: Option<IpAddr>) {
        if let Some(source) = peer.map(|peer| self.source(peer)) {
            self.stack
                .enter_all(&[self.step(ADDRESS, self.key(b'a', &[&source]))]);
        }
    }

    fn source(&self, peer: IpAddr) -> [u8; 16] {
        match self.stack.addresses().source(peer) {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }

    fn key(&self, kind: u8, parts: &[&[u8]]) -> Key {
        self.stack.keys().of(kind, parts)
    }

    fn step(&self, rule: usize, key: Key) -> Step {
        Step {
            rule,
            key,
            #[cfg(feature = "redis")]
            shared: super::redis::SharedKey::default(),
            rate: self.stack.rule(rule).rate,
            cost: 1,
        }
    }

    fn is_known(&self, pair: Key) -> bool {
        let now = self.stack.now(&[]);
        self.known
            .shard(pair)
            .peek(pair)
            .is_some_and(|state| !state.is_idle(now))
    }

    /// Remembers the source from now on. Where the table is full of others, it does not: then the budget holds for it too.
    fn remember(&self, pair: Key) {
        let (now, Some(rate)) = (self.stack.now(&[]), self.known_rate) else {
            return;
        };
        if let Some(state) = self.known.shard(pair).own_state(pair, now) {
            *state = Sliding::default();
            state.take(&rate, now, 1);
        }
    }
}

impl Ticket {
    fn enter(&mut self, steps: Vec<Step>) -> Result<(), Rejection> {
        let outcomes = self.attempts.stack.enter_all(&steps);
        let wait = outcomes
            .iter()
            .map(|outcome: &Outcome| outcome.wait)
            .max()
            .unwrap_or(0);
        if wait > 0 {
            return Err(refused(wait));
        }
        self.steps.extend(steps);
        self.receipts
            .extend(outcomes.iter().map(|outcome| outcome.receipt));
        Ok(())
    }

    /// The name turned out to be that of this account, which may have others.
    pub(crate) fn resolved(&mut self, id: &Subject) -> Result<(), Rejection> {
        if self.spared {
            return Ok(());
        }
        let key = self
            .attempts
            .key(b'i', &[id.kind().as_bytes(), id.id().as_bytes()]);
        let step = self.attempts.step(ACCOUNT, key);
        self.enter(vec![step])
    }

    /// The credential was wrong.
    pub(crate) fn failed(self) {}

    /// The credential was right: it is not counted, nor is what was mistyped before, and the account is known from here.
    pub(crate) fn succeeded(self) {
        if let Some(pair) = self.pair {
            self.attempts.stack.forget(&self.attempts.step(PAIR, pair));
            self.attempts.remember(pair);
        }
        self.give_back();
    }

    /// Whether it was right is not known, through no fault of the caller's.
    pub(crate) fn released(self) {
        self.give_back();
    }

    /// What came of the attempt.
    pub(crate) fn conclude<T>(self, result: &Result<T, Rejection>) {
        match result {
            Ok(_) => self.succeeded(),
            Err(rejection) if rejection.kind() == RejectionKind::InvalidPassword => self.failed(),
            Err(_) => self.released(),
        }
    }

    fn give_back(&self) {
        for (step, receipt) in self.steps.iter().zip(&self.receipts) {
            self.attempts.stack.give_back(step, *receipt);
        }
    }
}

fn refused(wait: u64) -> Rejection {
    Rejection::throttled(Duration::from_nanos(wait))
}

/// What names have in common that people take for the same.
fn normalised(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect()
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts")
            .field("limits", &self.stack)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::test_util::ManualClock;

    fn attempts() -> (Arc<Attempts>, ManualClock) {
        let (clock, mut problems) = (ManualClock::new(1_000), Vec::new());
        let addresses = Arc::new(Addresses::new());
        let attempts = Attempts::build(
            AttemptLimits::new(),
            addresses,
            Arc::new(clock.clone()),
            &mut problems,
        );
        assert!(problems.is_empty());
        (Arc::new(attempts), clock)
    }

    fn from(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, n]))
    }

    fn fails(attempts: &Arc<Attempts>, name: &str, peer: Option<IpAddr>, times: usize) -> usize {
        (0..times)
            .filter(|_| attempts.check(name, peer).map(Ticket::failed).is_ok())
            .count()
    }

    #[test]
    fn guessing_stops_and_the_owner_gets_in_from_elsewhere() {
        let (attempts, clock) = attempts();
        assert_eq!(fails(&attempts, "anna", from(1), 50), 10);
        attempts.check("anna", from(2)).unwrap().succeeded();
        assert!(attempts.check("anna", from(1)).is_err());
        assert_eq!(fails(&attempts, "ben", from(1), 1), 1, "another account is");
        clock.advance(Duration::from_secs(900));
        assert_eq!(
            fails(&attempts, "anna", from(1), 50),
            10,
            "never for longer than the period"
        );
    }

    #[test]
    fn guessing_from_many_addresses_stops_and_does_not_lock_out_who_signed_in_before() {
        let (attempts, clock) = attempts();
        attempts.check("anna", from(200)).unwrap().succeeded();
        let guesses: usize = (0..100).map(|n| fails(&attempts, "anna", from(n), 5)).sum();
        assert_eq!(guesses, 100);
        assert!(
            attempts.check("anna", from(199)).is_err(),
            "a new place waits"
        );
        for _ in 0..50 {
            attempts.check("anna", from(200)).unwrap().succeeded();
        }
        assert_eq!(
            fails(&attempts, "anna", from(200), 50),
            10,
            "but may not guess either"
        );
        clock.advance(KNOWN_FOR);
        assert_eq!(
            (0..30)
                .map(|n| fails(&attempts, "anna", from(n), 5))
                .sum::<usize>(),
            100
        );
        assert!(
            attempts.check("anna", from(200)).is_err(),
            "after 30 days it is a place like others"
        );
    }

    #[test]
    fn many_accounts_from_one_address_stop() {
        let (attempts, _) = attempts();
        let tried: usize = (0..500)
            .map(|n| fails(&attempts, &format!("user {n}"), from(1), 1))
            .sum();
        assert_eq!(tried, 200);
        assert!(
            attempts.check_address(from(1)).is_err() && attempts.check_address(from(2)).is_ok()
        );
    }

    #[test]
    fn case_spaces_and_a_second_name_give_no_second_budget() {
        let (attempts, _) = attempts();
        for name in ["anna", "ANNA", " anna", "an na\u{a0}", "\u{2003}Anna"] {
            assert_eq!(fails(&attempts, name, from(1), 2), 2, "{name:?}");
        }
        assert!(attempts.check("aNnA", from(1)).is_err());
        let by_id = |name: &str, n: u8| {
            let mut ticket = attempts.check(name, from(n)).ok()?;
            ticket
                .resolved(&Subject::user("9"))
                .ok()
                .map(|()| ticket.failed())
        };
        let tried = (10..130).filter(|n| {
            by_id(
                if n % 2 == 0 {
                    "carl"
                } else {
                    "carl@example.com"
                },
                *n,
            )
            .is_some()
        });
        assert_eq!(tried.count(), 100);
    }

    #[test]
    fn whoever_goes_away_has_tried_and_the_services_own_failures_are_nobodys() {
        let (attempts, _) = attempts();
        for _ in 0..300 {
            attempts.check("anna", from(1)).unwrap().released();
        }
        for _ in 0..10 {
            drop(attempts.check("anna", from(1)).unwrap());
        }
        assert!(attempts.check("anna", from(1)).is_err());
    }

    #[test]
    fn attempts_at_the_same_time_are_counted_before_any_has_failed() {
        let (attempts, _) = attempts();
        let under_way: Vec<_> = (0..50)
            .filter_map(|_| attempts.check("anna", from(1)).ok())
            .collect();
        assert_eq!(under_way.len(), 10);
        under_way.into_iter().for_each(Ticket::succeeded);
        assert!(attempts.check("anna", from(1)).is_ok());
    }

    #[test]
    fn without_an_address_the_account_is_counted() {
        let (attempts, _) = attempts();
        assert_eq!(fails(&attempts, "anna", None, 150), 100);
        assert_eq!(fails(&attempts, "ben", None, 1), 1);
        assert!(attempts.check_address(None).is_ok());
    }
}
