use super::algorithm::{Calendar, Moment, Paced, Sliding, State};
use super::counters::Counters;
use super::key::Key;
use super::standing::{Receipt, Standing};
use super::table::{Lineage, Place, Shard, Table};
use crate::clock::Clock;
use crate::rate::{Form, Rate};
use std::ptr;
use std::sync::MutexGuard;

/// One request of one key in the counters of one rule.
#[derive(Clone, Copy)]
pub(crate) struct Tally<'a> {
    pub(crate) counters: &'a Counters,
    pub(crate) lineage: &'a Lineage,
    pub(crate) key: Key,
    pub(crate) rate: Rate,
    pub(crate) cost: u32,
    /// Whether the request passes only where this rule lets it.
    pub(crate) refuses: bool,
}

impl Tally<'_> {
    /// Enters the request where the rate lets it pass.
    #[inline]
    pub(crate) fn enter(&self, clock: &dyn Clock) -> Standing {
        match self.rate.form() {
            Form::Sliding => self.enter_alone(self.counters.sliding(), clock),
            Form::Paced { .. } => self.enter_alone(self.counters.paced(), clock),
            Form::Calendar => self.enter_alone(self.counters.calendar(), clock),
        }
    }

    #[inline]
    fn enter_alone<S: State>(&self, table: &Table<S>, clock: &dyn Clock) -> Standing {
        let mut shard = table.shard(self.key);
        let now = self.now(clock);
        let asked = self.ask(&mut shard, now);
        self.conclude(&mut shard, asked, now, asked.wait == 0)
    }

    /// How long the request would have to wait. Nothing is entered.
    #[inline]
    fn ask<S: State>(&self, shard: &mut Shard<S>, now: Moment) -> Asked {
        let place = shard.place(self.key, &self.rate, now, self.lineage);
        let wait = shard.at(place).wait(&self.rate, now, self.cost);
        Asked { place, wait }
    }

    /// Enters the request, or leaves as if it had not come.
    #[inline]
    fn conclude<S: State>(
        &self,
        shard: &mut Shard<S>,
        Asked { place, wait }: Asked,
        now: Moment,
        is_entered: bool,
    ) -> Standing {
        let state = shard.at(place);
        let receipt = if is_entered {
            state.take(&self.rate, now, self.cost)
        } else {
            Receipt::default()
        };
        let room = state.room(&self.rate, now);
        // Looking a key up has made it a cell. Nothing was entered there, so the cell is freed,
        // lest requests that are refused or free take the places of those that count.
        if !is_entered || self.cost == 0 {
            shard.leave(self.key, now);
        }
        Standing {
            wait,
            left: room.left,
            full_in: room.full_in,
            receipt,
        }
    }

    /// How long it would have to wait, in nanoseconds. Nothing is entered.
    pub(crate) fn wait(&self, clock: &dyn Clock) -> u64 {
        match self.rate.form() {
            Form::Sliding => self.wait_in(self.counters.sliding(), clock),
            Form::Paced { .. } => self.wait_in(self.counters.paced(), clock),
            Form::Calendar => self.wait_in(self.counters.calendar(), clock),
        }
    }

    fn wait_in<S: State>(&self, table: &Table<S>, clock: &dyn Clock) -> u64 {
        let shard = table.shard(self.key);
        let now = self.now(clock);
        // Judged by a copy: asking must neither take a place in the table nor change what it asks
        // about.
        let state = shard.seen(self.key, &self.rate, now, self.lineage);
        state.wait(&self.rate, now, self.cost)
    }

    /// Enters its cost whatever the rate says.
    pub(crate) fn take(&self, clock: &dyn Clock) -> Receipt {
        match self.rate.form() {
            Form::Sliding => self.take_in(self.counters.sliding(), clock),
            Form::Paced { .. } => self.take_in(self.counters.paced(), clock),
            Form::Calendar => self.take_in(self.counters.calendar(), clock),
        }
    }

    fn take_in<S: State>(&self, table: &Table<S>, clock: &dyn Clock) -> Receipt {
        // Before the key is looked up, because that would make it a cell.
        if self.cost == 0 {
            return Receipt::default();
        }
        let mut shard = table.shard(self.key);
        let now = self.now(clock);
        let place = shard.place(self.key, &self.rate, now, self.lineage);
        shard.at(place).take(&self.rate, now, self.cost)
    }

    /// Takes its cost back from what was entered.
    pub(crate) fn give_back(&self, receipt: Receipt, clock: &dyn Clock) {
        match self.rate.form() {
            Form::Sliding => self.give_back_in(self.counters.sliding(), receipt, clock),
            Form::Paced { .. } => self.give_back_in(self.counters.paced(), receipt, clock),
            Form::Calendar => self.give_back_in(self.counters.calendar(), receipt, clock),
        }
    }

    fn give_back_in<S: State>(&self, table: &Table<S>, receipt: Receipt, clock: &dyn Clock) {
        let mut shard = table.shard(self.key);
        let now = self.now(clock);
        shard.change(self.key, &self.rate, now, |state| {
            state.give_back(&self.rate, now, receipt, self.cost);
        });
    }

    /// As if the key had never come, unless it shares its state with others.
    pub(crate) fn forget(&self) {
        match self.rate.form() {
            Form::Sliding => self.counters.sliding().shard(self.key).remove(self.key),
            Form::Paced { .. } => self.counters.paced().shard(self.key).remove(self.key),
            Form::Calendar => self.counters.calendar().shard(self.key).remove(self.key),
        }
    }

    /// Read only while the key's shard is locked. A thread that has read it before, and waits for
    /// the lock, comes after others with a time before theirs: the state would heal back to that
    /// time, as it does where a clock was stepped back, and forgive what they have entered since.
    ///
    /// Only calendars look at the wall clock.
    #[inline]
    fn now(&self, clock: &dyn Clock) -> Moment {
        match self.rate.form() {
            Form::Calendar => Moment::of(clock),
            Form::Sliding | Form::Paced { .. } => Moment::steady(clock),
        }
    }
}

/// What a rule says of a request before it is entered.
#[derive(Clone, Copy, Default)]
struct Asked {
    place: Place,
    wait: u64,
}

/// Enters a request under all rules, or under none where one of those that refuse does not let it
/// pass. No two tallies are of the same counters.
///
/// The locks of all rules are held together for one decision in memory: were one released before
/// the last rule is asked, another request could use up what this rule has agreed to. They are
/// taken in one order wherever the rules stand, lest two stacks that share counters wait for each
/// other.
pub(crate) fn enter_all(tallies: &[Tally<'_>], clock: &dyn Clock) -> Vec<Standing> {
    let mut order: Vec<usize> = (0..tallies.len()).collect();
    order.sort_unstable_by_key(|at| ptr::from_ref(tallies[*at].counters));
    let mut all: Vec<Held<'_>> = order.iter().map(|at| Held::new(&tallies[*at])).collect();
    let by_calendar = tallies
        .iter()
        .any(|tally| tally.rate.form() == Form::Calendar);
    // Once, and not before the last lock is held: see `Tally::now`.
    let now = if by_calendar {
        Moment::of(clock)
    } else {
        Moment::steady(clock)
    };
    let mut passes = true;
    for held in &mut all {
        held.ask(now);
        passes = passes && (held.asked.wait == 0 || !held.tally.refuses);
    }
    let mut standings = vec![Standing::default(); tallies.len()];
    for (at, held) in order.into_iter().zip(&mut all) {
        // A rule that only observes lets pass what is beyond its rate, but does not count it. An
        // enforced rule counts no request that it refuses, and the rehearsal has to show the same
        // numbers.
        let is_entered = passes && held.asked.wait == 0;
        standings[at] = held.conclude(now, is_entered);
    }
    standings
}

/// A tally while its key's shard is locked.
struct Held<'a> {
    tally: &'a Tally<'a>,
    shard: Locked<'a>,
    asked: Asked,
}

enum Locked<'a> {
    Sliding(MutexGuard<'a, Shard<Sliding>>),
    Paced(MutexGuard<'a, Shard<Paced>>),
    Calendar(MutexGuard<'a, Shard<Calendar>>),
}

impl<'a> Held<'a> {
    fn new(tally: &'a Tally<'a>) -> Self {
        let Tally { counters, key, .. } = *tally;
        let shard = match tally.rate.form() {
            Form::Sliding => Locked::Sliding(counters.sliding().shard(key)),
            Form::Paced { .. } => Locked::Paced(counters.paced().shard(key)),
            Form::Calendar => Locked::Calendar(counters.calendar().shard(key)),
        };
        Self {
            tally,
            shard,
            asked: Asked::default(),
        }
    }

    fn ask(&mut self, now: Moment) {
        self.asked = match &mut self.shard {
            Locked::Sliding(shard) => self.tally.ask(shard, now),
            Locked::Paced(shard) => self.tally.ask(shard, now),
            Locked::Calendar(shard) => self.tally.ask(shard, now),
        };
    }

    fn conclude(&mut self, now: Moment, is_entered: bool) -> Standing {
        match &mut self.shard {
            Locked::Sliding(shard) => self.tally.conclude(shard, self.asked, now, is_entered),
            Locked::Paced(shard) => self.tally.conclude(shard, self.asked, now, is_entered),
            Locked::Calendar(shard) => self.tally.conclude(shard, self.asked, now, is_entered),
        }
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::test_util::ManualClock;
    use crate::throttle::limiter::key::Keys;
    use proptest::prelude::*;
    use std::fmt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, SystemTime};

    const FORMS: [&str; 4] = ["5/min", "90/min", "5/min burst 7", "5/hour calendar"];

    /// Two rules of each form, over tables with room for eight callers.
    struct World {
        counters: [Counters; 2],
        keys: Keys,
        clock: ManualClock,
    }

    impl World {
        fn new() -> Self {
            Self {
                counters: [Counters::new(8), Counters::new(8)],
                keys: Keys::new(),
                clock: ManualClock::new(1_705_190_400),
            }
        }

        fn tally(&self, rule: usize, rate: &str, who: u64, cost: u32) -> Tally<'_> {
            Tally {
                counters: &self.counters[rule],
                lineage: Lineage::NONE,
                key: self.keys.of(b't', &[&who.to_le_bytes()]),
                rate: rate.parse().expect("a rate"),
                cost,
                refuses: true,
            }
        }

        fn live(&self) -> usize {
            self.counters.iter().map(Counters::len).sum()
        }
    }

    #[test]
    fn what_is_free_or_refused_holds_no_place() {
        for rate in FORMS {
            let world = World::new();
            for who in 0..1_000 {
                world.tally(0, rate, who, 0).enter(&world.clock);
                world.tally(0, rate, who, 0).take(&world.clock);
                // More than there ever is.
                world.tally(0, rate, who, 99).enter(&world.clock);
                assert_eq!(world.live(), 0, "{rate}");
            }
            let most = world.tally(1, rate, 0, 1).rate.most();
            world.tally(1, rate, 0, most).enter(&world.clock);
            for who in 0..1_000 {
                // The second rule refuses whom the first would let pass.
                let both = [world.tally(0, rate, who, 1), world.tally(1, rate, 0, 1)];
                assert!(enter_all(&both, &world.clock)[1].wait > 0);
                assert_eq!(world.live(), 1, "{rate}");
            }
            let stranger = world.tally(0, rate, 2_000, 1).enter(&world.clock);
            assert_eq!(stranger.left, most - 1, "{rate}: a place of its own");
        }
    }

    /// The clock of a request that is held up as soon as it has read the time: others come in the
    /// next window. Where it holds a lock that they wait for, they come after it.
    struct HeldUp {
        world: Arc<World>,
        rate: &'static str,
        until: Duration,
        have_come: AtomicBool,
        passed: AtomicUsize,
    }

    impl HeldUp {
        /// More requests of the caller than any of the rates allows.
        fn a_hundred_more(&self) {
            let World { clock, .. } = &*self.world;
            let tally = self.world.tally(0, self.rate, 0, 1);
            let passed = (0..100).filter(|_| tally.enter(clock).wait == 0).count();
            self.passed.fetch_add(passed, Ordering::SeqCst);
        }

        fn others_come(&self) {
            if !self.have_come.swap(true, Ordering::SeqCst) {
                self.world.clock.advance(self.until);
                self.a_hundred_more();
            }
        }

        fn others_try(&self) {
            let tallies = [0, 1].map(|rule| self.world.tally(rule, self.rate, 0, 1));
            if !tallies.iter().any(|tally| tally.is_locked()) {
                self.others_come();
            }
        }
    }

    impl Clock for HeldUp {
        fn now(&self) -> SystemTime {
            let now = self.world.clock.now();
            self.others_try();
            now
        }

        fn steady(&self) -> Duration {
            let now = self.world.clock.steady();
            self.others_try();
            now
        }
    }

    impl fmt::Debug for HeldUp {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("HeldUp")
        }
    }

    impl Tally<'_> {
        fn is_locked(&self) -> bool {
            match self.rate.form() {
                Form::Sliding => self.counters.sliding().is_locked(self.key),
                Form::Paced { .. } => self.counters.paced().is_locked(self.key),
                Form::Calendar => self.counters.calendar().is_locked(self.key),
            }
        }
    }

    /// It takes nothing itself, so whatever the others have is theirs.
    #[test]
    fn a_request_that_is_held_up_after_it_has_read_the_time_forgives_nothing() {
        type Late = fn(&World, &str, &HeldUp);
        let ways: [(&str, Late); 3] = [
            ("alone", |world, rate, clock| {
                world.tally(0, rate, 0, 0).enter(clock);
            }),
            ("under two rules", |world, rate, clock| {
                enter_all(
                    &[world.tally(0, rate, 0, 0), world.tally(1, rate, 0, 0)],
                    clock,
                );
            }),
            ("giving back", |world, rate, clock| {
                let receipt = Receipt::default();
                world.tally(0, rate, 0, 0).give_back(receipt, clock);
            }),
        ];
        // How long it is held up, and after how long a time that was healed back would forgive.
        let rows = [
            ("5/min", 30, 31),
            ("90/min", 30, 31),
            ("5/min burst 5", 59, 2),
            ("5/hour calendar", 1, 1),
        ];
        for (rate, until, after) in rows {
            for (way, late) in ways {
                let world = Arc::new(World::new());
                // To a second before the end of an hour, where a window of the calendar ends.
                world.clock.advance(Duration::from_secs(3_599));
                let clock = HeldUp {
                    world: Arc::clone(&world),
                    rate,
                    until: Duration::from_secs(until),
                    have_come: AtomicBool::new(false),
                    passed: AtomicUsize::new(0),
                };
                late(&world, rate, &clock);
                clock.others_come();
                world.clock.advance(Duration::from_secs(after));
                clock.a_hundred_more();
                let most = world.tally(0, rate, 0, 1).rate.most();
                let passed = clock.passed.into_inner();
                assert_eq!(passed, most as usize, "{rate}, {way}");
            }
        }
    }

    proptest! {
        /// In whatever order, after whatever time, and however many others there are.
        #[test]
        fn what_is_given_back_holds_no_place(
            form in 0..FORMS.len(),
            steps in prop::collection::vec((0..8_u64, 0..4_u32, 0..20_u64, any::<prop::sample::Index>()), 1..80),
        ) {
            let (world, mut entered) = (World::new(), Vec::new());
            let rate = FORMS[form];
            for (who, cost, gap, which) in steps {
                world.clock.advance(Duration::from_secs(gap));
                let standing = world.tally(0, rate, who, cost).enter(&world.clock);
                if standing.wait == 0 {
                    entered.push((who, cost, standing.receipt));
                }
                if gap % 2 == 0 && !entered.is_empty() {
                    let (who, cost, receipt) = entered.swap_remove(which.index(entered.len()));
                    world.tally(0, rate, who, cost).give_back(receipt, &world.clock);
                }
            }
            let now = world.tally(0, rate, 0, 0).now(&world.clock);
            for (who, cost, receipt) in entered {
                world.tally(0, rate, who, cost).give_back(receipt, &world.clock);
            }
            for who in 0..8 {
                // Where it is not free, it is because of what has run off by itself.
                let left = world.tally(0, rate, who, 0).enter(&world.clock);
                prop_assert_eq!((left.wait, left.full_in), (0, 0), "{} at {:?}", rate, now);
            }
            prop_assert_eq!(world.live(), 0);
        }
    }
}
