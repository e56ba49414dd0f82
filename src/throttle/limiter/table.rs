//! What is remembered of many keys: sharded, bounded, and without a task that cleans up.
//!
//! - A shard is one open-addressing array of cells, which doubles up to its share of the cap and
//!   then stays.
//! - Each new key looks at a few cells further on and frees those that are idle, so that a table of
//!   keys seen once stays small and no sweep ever stops a shard.
//! - A cell that is not idle is never freed. Where all are live, new keys share the shard's
//!   overflow cell, whatever their rates are; and a key that gets a cell of its own while that one
//!   is live begins with its contents, lest what it used there be forgiven.
//! - Where a rule's rate was replaced, a new cell goes on from what the caller has in the old one
//!   besides.

use super::algorithm::{Expires, Moment, State};
use super::key::{Key, Salt};
use crate::rate::Rate;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Cells that each new key looks at, and those it does when its shard is full.
const LOOK_AT: usize = 8;
const LOOK_AT_WHEN_FULL: usize = 64;
/// Cells a shard: so many double in a third of a millisecond.
const CELLS: usize = 4096;
const MOST_SHARDS: usize = 4096;

/// States by key.
#[derive(Debug)]
pub(crate) struct Table<S> {
    shards: Box<[Line<S>]>,
}

/// On a line of its own, lest threads in different shards wait for one another's memory.
#[derive(Debug)]
#[repr(align(64))]
struct Line<S>(Mutex<Shard<S>>);

#[derive(Debug)]
pub(crate) struct Shard<S> {
    cells: Vec<Cell<S>>,
    used: usize,
    most: usize,
    hand: usize,
    overflow: S,
}

#[derive(Clone, Debug, Default)]
struct Cell<S> {
    /// `Key::NONE` where the cell is free.
    key: Key,
    state: S,
}

/// Where the state of a key is.
#[derive(Clone, Copy, Default)]
pub(crate) enum Place {
    /// In a cell of its own.
    Own(usize),
    /// In the one that all keys share for which there is no cell.
    #[default]
    Shared,
}

/// Where a new cell goes on from.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    /// From the present rate to those that it replaced, the last first.
    pub(crate) towards: Vec<Salt>,
    /// Steady. What was counted before the rate was replaced matters for one more period.
    pub(crate) until: u64,
}

impl Lineage {
    /// Nowhere.
    pub(crate) const NONE: &Self = &Self {
        towards: Vec::new(),
        until: 0,
    };
}

impl<S: Expires> Table<S> {
    /// For so many keys at most, and a share of that in each shard.
    pub(crate) fn new(most: usize) -> Self {
        // A power of two, because `Key::shard` picks one by a mask.
        let shards = (most / CELLS).next_power_of_two().min(MOST_SHARDS);
        let most = most.div_ceil(shards).max(1);
        let shards = (0..shards).map(|_| Line(Mutex::new(Shard::new(most))));
        Self {
            shards: shards.collect(),
        }
    }

    /// The lock is held for one decision in memory, never over an await; where several limits are
    /// decided together, for those, in the order of the rules. A panic cannot leave half a
    /// change, so a poisoned lock is as good as any other.
    #[inline]
    pub(crate) fn shard(&self, key: Key) -> MutexGuard<'_, Shard<S>> {
        let at = key.shard(self.shards.len());
        self.shards[at].lock()
    }

    /// Whether somebody is deciding about that key, or about one beside it.
    #[cfg(all(test, feature = "test-util"))]
    pub(crate) fn is_locked(&self, key: Key) -> bool {
        let at = key.shard(self.shards.len());
        self.shards[at].0.try_lock().is_err()
    }

    /// How many keys have a cell.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().used).sum()
    }
}

impl<S> Line<S> {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Shard<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Expires> Shard<S> {
    /// Without a cell, for so many keys at most.
    fn new(most: usize) -> Self {
        Self {
            cells: Vec::new(),
            used: 0,
            most,
            hand: 0,
            overflow: S::default(),
        }
    }

    /// The state of a key, unless it would have to share one.
    pub(crate) fn own_or_new(&mut self, key: Key, now: Moment) -> Option<&mut S> {
        let at = self.find(key).or_else(|| self.insert(key, now))?;
        Some(&mut self.cells[at].state)
    }

    /// The state of a key that has one, to be changed.
    #[cfg(feature = "redis")]
    pub(crate) fn own(&mut self, key: Key) -> Option<&mut S> {
        let at = self.find(key)?;
        Some(&mut self.cells[at].state)
    }

    /// The state of a key that has one.
    pub(crate) fn peek(&self, key: Key) -> Option<&S> {
        self.find(key).map(|at| &self.cells[at].state)
    }

    /// Frees the cell of a key where a new one would be as good: whoever has entered nothing holds
    /// no place.
    #[cold]
    pub(crate) fn leave(&mut self, key: Key, now: Moment) {
        if let Some(at) = self.find(key)
            && self.cells[at].state.is_idle(now)
        {
            self.free(at);
        }
    }

    pub(crate) fn remove(&mut self, key: Key) {
        if let Some(at) = self.find(key) {
            self.free(at);
        }
    }

    #[inline]
    fn find(&self, key: Key) -> Option<usize> {
        let length = self.cells.len();
        if length == 0 {
            return None;
        }
        let mut at = key.home(length);
        // Terminates, because `grow` keeps a quarter of the cells free.
        loop {
            let found = self.cells[at].key;
            if found == key {
                return Some(at);
            }
            if found == Key::NONE {
                return None;
            }
            at = if at + 1 == length { 0 } else { at + 1 };
        }
    }

    /// A new cell; `None` where all are taken and live.
    #[cold]
    fn insert(&mut self, key: Key, now: Moment) -> Option<usize> {
        // A few looks with each new key, instead of a sweep now and then: the request that met the
        // sweep would wait for the whole shard.
        self.free_idle(LOOK_AT, now);
        if self.used >= self.most {
            self.free_idle(LOOK_AT_WHEN_FULL, now);
        }
        if self.used >= self.most {
            return None;
        }
        // A quarter of the cells stays free: `find` and `put` end at a free one.
        if (self.used + 1) * 4 > self.cells.len() * 3 {
            self.grow();
        }
        let at = self.put(Cell {
            key,
            state: S::default(),
        });
        self.used += 1;
        Some(at)
    }

    /// Puts a cell into the first free place from its home on.
    fn put(&mut self, cell: Cell<S>) -> usize {
        let length = self.cells.len();
        let mut at = cell.key.home(length);
        while self.cells[at].key != Key::NONE {
            at = (at + 1) % length;
        }
        self.cells[at] = cell;
        at
    }

    fn grow(&mut self) {
        // With so many, three quarters are taken when `most` keys are there, and the shard never
        // grows beyond.
        let needed = self.most + self.most.div_ceil(3) + 1;
        let length = (self.cells.len() * 2).clamp(8, needed.max(8));
        let old = std::mem::replace(&mut self.cells, vec![Cell::default(); length]);
        // Every cell gets a new place, so the place where the hand stood says nothing.
        self.hand = 0;
        for cell in old.into_iter().filter(|cell| cell.key != Key::NONE) {
            self.put(cell);
        }
    }

    fn free_idle(&mut self, look_at: usize, now: Moment) {
        for _ in 0..look_at.min(self.cells.len()) {
            let cell = &self.cells[self.hand];
            // The hand stays where a cell is freed: another one may have moved into its place.
            if cell.key != Key::NONE && cell.state.is_idle(now) {
                self.free(self.hand); // and looks at the same place again: another cell may have moved into it
            } else {
                self.hand = (self.hand + 1) % self.cells.len();
            }
        }
    }

    /// Frees a cell and moves those behind it up, so that each stays reachable from its home
    /// without a gap.
    fn free(&mut self, mut hole: usize) {
        let length = self.cells.len();
        self.cells[hole] = Cell::default();
        self.used -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) % length;
            let key = self.cells[at].key;
            if key == Key::NONE {
                return;
            }
            let home = key.home(length);
            let from_hole = (hole + length - home) % length;
            let from_here = (at + length - home) % length;
            // A cell may only move towards its home. One that is nearer to its home than the hole
            // is would land before it, where `find` never looks.
            if from_hole < from_here {
                self.cells.swap(hole, at);
                hole = at;
            }
        }
    }
}

impl<S: State> Shard<S> {
    /// Where the state of a key is, of now; that of a new one where it has none.
    #[inline]
    pub(crate) fn place(&mut self, key: Key, rate: &Rate, now: Moment, from: &Lineage) -> Place {
        match self.find(key).or_else(|| self.begin(key, now, from)) {
            Some(at) => {
                self.cells[at].state.turn(rate, now);
                Place::Own(at)
            }
            None => {
                self.overflow.expire(rate, now);
                Place::Shared
            }
        }
    }

    /// What is in a place, as long as no key has come or gone since.
    #[inline]
    pub(crate) fn at(&mut self, place: Place) -> &mut S {
        match place {
            Place::Own(at) => &mut self.cells[at].state,
            Place::Shared => &mut self.overflow,
        }
    }

    /// A copy of what a key is judged by.
    pub(crate) fn seen(&self, key: Key, rate: &Rate, now: Moment, from: &Lineage) -> S {
        let mut state = match self.find(key) {
            Some(at) => self.cells[at].state.clone(),
            // A shard that is full would judge a new key by the cell that all others share.
            None if self.used >= self.most => {
                let mut state = self.overflow.clone();
                state.expire(rate, now);
                return state;
            }
            None => self.beginning(key, now, from),
        };
        state.turn(rate, now);
        state
    }

    /// Changes the state of a key that has one, and frees its cell where a new one would be as
    /// good.
    pub(crate) fn change(
        &mut self,
        key: Key,
        rate: &Rate,
        now: Moment,
        change: impl FnOnce(&mut S),
    ) {
        match self.find(key) {
            Some(at) => {
                let state = &mut self.cells[at].state;
                state.turn(rate, now);
                change(state);
                if state.is_idle(now) {
                    self.free(at);
                }
            }
            None if self.used >= self.most => {
                self.overflow.expire(rate, now);
                change(&mut self.overflow);
            }
            // Its cell was freed, which happens only when all in it has run off: nothing is left to
            // change.
            None => {}
        }
    }

    /// A cell for a key that has none; `None` where all are taken and live.
    #[cold]
    fn begin(&mut self, key: Key, now: Moment, from: &Lineage) -> Option<usize> {
        let at = self.insert(key, now)?;
        self.cells[at].state = self.beginning(key, now, from);
        Some(at)
    }

    /// What a key has used before it has a cell. Without that, a new cell would forgive it.
    fn beginning(&self, key: Key, now: Moment, from: &Lineage) -> S {
        let mut state = self.predecessor(key, now, from);
        // What it has used while it shared the overflow cell stands there, beside what others used.
        if !self.overflow.is_idle(now) {
            state.join(self.overflow.clone(), now);
        }
        state
    }

    /// What the caller has under the rate that was replaced. It stays there too: an old layer may
    /// still count by it.
    fn predecessor(&self, key: Key, now: Moment, from: &Lineage) -> S {
        if now.steady >= from.until {
            return S::default();
        }
        for salt in &from.towards {
            if let Some(state) = self.peek(key.under(*salt))
                && !state.is_idle(now)
            {
                return state.clone();
            }
        }
        S::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::limiter::algorithm::{Calendar, Paced, Sliding};
    use crate::throttle::limiter::key::Keys;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const SECOND: u64 = 1_000_000_000;

    fn at(steady: u64) -> Moment {
        Moment {
            steady,
            wall: steady,
        }
    }

    fn admit<S: State>(table: &Table<S>, key: Key, rate: &Rate, now: u64) -> bool {
        let mut shard = table.shard(key);
        let place = shard.place(key, rate, at(now), Lineage::NONE);
        let state = shard.at(place);
        let passes = state.wait(rate, at(now), 1) == 0;
        if passes {
            state.take(rate, at(now), 1);
        }
        passes
    }

    #[test]
    fn keys_seen_once_leave_no_trace() {
        let (table, keys, rate) = (
            Table::<Paced>::new(100_000),
            Keys::new(),
            "1/s burst 1".parse().unwrap(),
        );
        for n in 0..300_000_u64 {
            assert!(admit(
                &table,
                keys.of(b't', &[&n.to_le_bytes()]),
                &rate,
                n * 10_000_000
            ));
        }
        assert!(table.len() < 1_000, "{} of 100 live ones", table.len());
    }

    #[test]
    fn the_cap_holds_against_random_keys_and_a_live_limit_is_not_forgiven() {
        let (table, keys, rate) = (
            Table::<Sliding>::new(1_000),
            Keys::new(),
            "2/min".parse().unwrap(),
        );
        let victim = keys.of(b't', &[b"victim"]);
        assert!(admit(&table, victim, &rate, SECOND) && admit(&table, victim, &rate, SECOND));
        let mut admitted = 0;
        for n in 0..100_000_u64 {
            admitted += usize::from(admit(
                &table,
                keys.of(b't', &[&n.to_le_bytes()]),
                &rate,
                SECOND + n,
            ));
            assert!(n % 1_000 != 0 || table.len() <= 1_000);
        }
        assert_eq!(table.len(), 1_000);
        assert_eq!(
            admitted,
            999 + 2,
            "each with a cell once, and all others together twice"
        );
        assert!(!admit(&table, victim, &rate, 2 * SECOND), "forgiven");
        assert!(admit(&table, victim, &rate, 62 * SECOND));
    }

    #[test]
    fn what_a_key_used_in_the_overflow_is_not_forgiven_when_it_gets_a_cell() {
        let (table, keys, rate) = (
            Table::<Sliding>::new(1),
            Keys::new(),
            "3/min".parse().unwrap(),
        );
        let (first, second) = (keys.of(b't', &[b"first"]), keys.of(b't', &[b"second"]));
        assert!(admit(&table, first, &rate, 0));
        for _ in 0..3 {
            assert!(admit(&table, second, &rate, 59 * SECOND));
        }
        // The first is idle now: the second gets its cell.
        assert!(!admit(&table, second, &rate, 61 * SECOND));
        assert!(admit(&table, second, &rate, 120 * SECOND));
    }

    /// `strict` has the long memory, and comes when the only cell is another's. So does `lax`, which
    /// would cut what is too far ahead for it.
    fn shares_with<S: State>(strict: &str, lax: &str) {
        let table = Table::<S>::new(1);
        let keys = Keys::new();
        let [other, strict_key, lax_key] =
            [b"a", b"b", b"c"].map(|name: &[u8; 1]| keys.of(b't', &[name]));
        let lax_rate: Rate = lax.parse().unwrap();
        let strict_rate: Rate = strict.parse().unwrap();
        let most = strict_rate.most() as usize;
        assert!(admit(&table, other, &strict_rate, 0));
        let mut admitted = 0;
        // Two hours, which are in one day.
        for minute in 0..120 {
            let now = 1 + minute * 60 * SECOND;
            for _ in 0..=most {
                admitted += usize::from(admit(&table, strict_key, &strict_rate, now));
            }
            admit(&table, lax_key, &lax_rate, now);
            let shard = table.shard(strict_key);
            let seen = shard.seen(strict_key, &strict_rate, at(now), Lineage::NONE);
            let wait = seen.wait(&strict_rate, at(now), 1);
            assert!(wait > 0, "{strict} beside {lax}");
        }
        assert_eq!(admitted, most, "{strict} beside {lax}");
    }

    #[test]
    fn callers_that_share_a_cell_are_forgiven_by_none_whose_period_is_shorter() {
        shares_with::<Sliding>("3/day", "5/s");
        shares_with::<Sliding>("100/day", "300/min");
        shares_with::<Paced>("5/day burst 5", "100/s burst 1");
        shares_with::<Calendar>("5/day calendar", "9/hour calendar");
    }

    #[test]
    fn what_callers_use_of_a_shared_cell_counts_for_the_period_of_their_own_rate() {
        let table = Table::<Sliding>::new(1);
        let keys = Keys::new();
        let [other, daily, fast] = [b"a", b"b", b"c"].map(|name: &[u8; 1]| keys.of(b't', &[name]));
        let a_day: Rate = "3/day".parse().unwrap();
        let a_second: Rate = "5/s".parse().unwrap();
        assert!(admit(&table, other, &a_day, 0));
        for _ in 0..3 {
            assert!(admit(&table, daily, &a_day, 1));
        }
        for second in 1..100 {
            let now = second * SECOND + 2;
            let admitted = (0..9).filter(|_| admit(&table, fast, &a_second, now));
            assert_eq!(admitted.count(), 2, "the rest of 5, each second");
        }
    }

    /// Two are used under the rate that is replaced, and one in the cell that all share: `rate` has
    /// four.
    fn goes_on_from_both<S: State>(old: &str, rate: &str) {
        let table = Table::<S>::new(2);
        let keys = Keys::new();
        let old: Rate = old.parse().unwrap();
        let rate: Rate = rate.parse().unwrap();
        let [salt, old_salt] = [&rate, &old].map(|rate| keys.salt(rate));
        let lineage = Lineage {
            towards: vec![salt.towards(old_salt)],
            until: 120 * SECOND,
        };
        let [anna, ben] = [b"anna", b"bert"].map(|name: &[u8; 4]| keys.of(b't', &[name]));
        let admit = |key: Key, rate: &Rate, now: u64| {
            let mut shard = table.shard(key);
            let place = shard.place(key, rate, at(now), &lineage);
            let state = shard.at(place);
            let passes = state.wait(rate, at(now), 1) == 0;
            if passes {
                state.take(rate, at(now), 1);
            }
            passes
        };
        assert!(admit(anna.under(old_salt), &old, 1));
        assert!(admit(anna.under(old_salt), &old, 1));
        assert!(admit(ben, &old, 1));
        assert!(admit(anna.under(salt), &rate, 1), "shared");
        table.shard(ben).remove(ben);
        let own = (0..9).filter(|_| admit(anna.under(salt), &rate, 2)).count();
        assert_eq!(own, 1, "{old}, then {rate}");
    }

    #[test]
    fn a_key_that_gets_a_cell_goes_on_from_what_it_used_under_another_rate_and_what_it_shared() {
        goes_on_from_both::<Sliding>("4/day", "4/min");
        goes_on_from_both::<Paced>("5/min burst 5", "5/min burst 4");
        goes_on_from_both::<Calendar>("4/day calendar", "4/hour calendar");
    }

    #[test]
    fn a_million_keys_fit_their_budget_of_64_bytes() {
        let (table, keys, rate) = (
            Table::<Paced>::new(1_000_000),
            Keys::new(),
            "1/day burst 1".parse().unwrap(),
        );
        for n in 0..1_000_000_u64 {
            admit(&table, keys.of(b't', &[&n.to_le_bytes()]), &rate, 1);
        }
        let held: usize = table
            .shards
            .iter()
            .map(|line| line.0.lock().unwrap().cells.capacity())
            .sum();
        let bytes = held * size_of::<Cell<Paced>>() + table.shards.len() * size_of::<Line<Paced>>();
        assert!(
            table.len() > 980_000 && bytes < 64 * table.len(),
            "{bytes} bytes for {} keys",
            table.len()
        );
    }

    /// Counts how often it is looked at.
    #[derive(Clone, Default)]
    struct Watched;

    thread_local! {
        static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    impl Expires for Watched {
        fn is_idle(&self, _: Moment) -> bool {
            LOOKED_AT.set(LOOKED_AT.get() + 1);
            false
        }
    }

    /// However many there are: a full table costs a new key no more than a few dozen looks.
    #[test]
    fn no_key_waits_until_all_others_were_looked_at() {
        let (table, keys) = (Table::<Watched>::new(65_536), Keys::new());
        for n in 0..100_000_u64 {
            let key = keys.of(b't', &[&n.to_le_bytes()]);
            let before = LOOKED_AT.get();
            table.shard(key).own_or_new(key, at(0));
            let looked_at = LOOKED_AT.get() - before;
            assert!(looked_at <= LOOK_AT + LOOK_AT_WHEN_FULL + 1, "{looked_at}");
        }
        assert!(table.len() > 60_000);
    }

    proptest! {
        /// Against a map that never forgets.
        #[test]
        fn no_key_is_lost_or_mixed_up(steps in prop::collection::vec((0..40_u64, 0..20 * SECOND), 1..600)) {
            let (table, keys, rate) = (Table::<Sliding>::new(64), Keys::new(), "2/min".parse().unwrap());
            let (mut all, mut now) = (HashMap::<u64, Sliding>::new(), 0);
            for (n, gap) in steps {
                now += gap;
                let state = all.entry(n).or_default();
                state.turn(&rate, at(now));
                let expected = state.wait(&rate, at(now), 1) == 0;
                if expected {
                    state.take(&rate, at(now), 1);
                }
                prop_assert_eq!(admit(&table, keys.of(b't', &[&n.to_le_bytes()]), &rate, now), expected);
            }
        }
    }
}
