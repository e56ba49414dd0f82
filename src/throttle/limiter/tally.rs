use super::algorithm::{Moment, State};
use super::counters::Counters;
use super::key::Key;
use super::standing::{Receipt, Standing};
use super::table::{Lineage, Table};
use crate::clock::Clock;
use crate::rate::{Form, Rate};
use std::ptr;

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
        let now = self.now(clock);
        match self.rate.form() {
            Form::Sliding => self.enter_alone(self.counters.sliding(), now),
            Form::Paced { .. } => self.enter_alone(self.counters.paced(), now),
            Form::Calendar => self.enter_alone(self.counters.calendar(), now),
        }
    }

    #[inline]
    fn enter_alone<S: State>(&self, table: &Table<S>, now: Moment) -> Standing {
        let mut shard = table.shard(self.key);
        let state = shard.state(self.key, now, self.lineage);
        state.turn(&self.rate, now);
        let wait = state.wait(&self.rate, now, self.cost);
        let receipt = if wait == 0 {
            state.take(&self.rate, now, self.cost)
        } else {
            Receipt::default()
        };
        let room = state.room(&self.rate, now);
        // Looking a key up has made it a cell. Nothing was entered there, so the cell is freed,
        // lest requests that are refused or free take the places of those that count.
        if wait > 0 || self.cost == 0 {
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
        let now = self.now(clock);
        match self.rate.form() {
            Form::Sliding => self.wait_in(self.counters.sliding(), now),
            Form::Paced { .. } => self.wait_in(self.counters.paced(), now),
            Form::Calendar => self.wait_in(self.counters.calendar(), now),
        }
    }

    fn wait_in<S: State>(&self, table: &Table<S>, now: Moment) -> u64 {
        // Judged by a copy: asking must neither take a place in the table nor change what it asks
        // about.
        let Some(mut state) = table.shard(self.key).seen(self.key) else {
            return 0;
        };
        state.turn(&self.rate, now);
        state.wait(&self.rate, now, self.cost)
    }

    /// Enters its cost whatever the rate says.
    pub(crate) fn take(&self, clock: &dyn Clock) -> Receipt {
        let now = self.now(clock);
        match self.rate.form() {
            Form::Sliding => self.take_in(self.counters.sliding(), now),
            Form::Paced { .. } => self.take_in(self.counters.paced(), now),
            Form::Calendar => self.take_in(self.counters.calendar(), now),
        }
    }

    fn take_in<S: State>(&self, table: &Table<S>, now: Moment) -> Receipt {
        // Before the key is looked up, because that would make it a cell.
        if self.cost == 0 {
            return Receipt::default();
        }
        let mut shard = table.shard(self.key);
        let state = shard.state(self.key, now, self.lineage);
        state.turn(&self.rate, now);
        state.take(&self.rate, now, self.cost)
    }

    /// Takes its cost back from what was entered.
    pub(crate) fn give_back(&self, receipt: Receipt, clock: &dyn Clock) {
        let now = self.now(clock);
        match self.rate.form() {
            Form::Sliding => self.give_back_in(self.counters.sliding(), receipt, now),
            Form::Paced { .. } => self.give_back_in(self.counters.paced(), receipt, now),
            Form::Calendar => self.give_back_in(self.counters.calendar(), receipt, now),
        }
    }

    fn give_back_in<S: State>(&self, table: &Table<S>, receipt: Receipt, now: Moment) {
        table.shard(self.key).change(self.key, now, |state| {
            state.turn(&self.rate, now);
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

    /// Only calendars look at the wall clock.
    #[inline]
    fn now(&self, clock: &dyn Clock) -> Moment {
        match self.rate.form() {
            Form::Calendar => Moment::of(clock),
            Form::Sliding | Form::Paced { .. } => Moment::steady(clock),
        }
    }
}

/// Enters a request under all rules, or under none where one of those that refuse does not let it
/// pass. No two tallies are of the same counters.
///
/// The locks of all rules are held together for one decision in memory. They are taken in one order
/// wherever the rules stand, lest two stacks that share counters wait for each other.
pub(crate) fn enter_all(tallies: &[Tally<'_>], clock: &dyn Clock) -> Vec<Standing> {
    let by_calendar = tallies
        .iter()
        .any(|tally| tally.rate.form() == Form::Calendar);
    let now = if by_calendar {
        Moment::of(clock)
    } else {
        Moment::steady(clock)
    };
    let mut order: Vec<usize> = (0..tallies.len()).collect();
    order.sort_unstable_by_key(|at| ptr::from_ref(tallies[*at].counters));
    let mut together = Together {
        tallies,
        now,
        standings: vec![Standing::default(); tallies.len()],
    };
    together.enter(&order, true);
    together.standings
}

struct Together<'a> {
    tallies: &'a [Tally<'a>],
    now: Moment,
    standings: Vec<Standing>,
}

impl Together<'_> {
    /// Asks the first, then the others while its lock is held, and says whether all agree.
    fn enter(&mut self, order: &[usize], passes: bool) -> bool {
        let Some((at, rest)) = order.split_first() else {
            return passes;
        };
        let tally = self.tallies[*at];
        match tally.rate.form() {
            Form::Sliding => self.enter_in(tally.counters.sliding(), *at, rest, passes),
            Form::Paced { .. } => self.enter_in(tally.counters.paced(), *at, rest, passes),
            Form::Calendar => self.enter_in(tally.counters.calendar(), *at, rest, passes),
        }
    }

    fn enter_in<S: State>(
        &mut self,
        table: &Table<S>,
        at: usize,
        rest: &[usize],
        passes: bool,
    ) -> bool {
        let tally = self.tallies[at];
        let (rate, now) = (&tally.rate, self.now);
        // The lock is held through the recursion: were it released, another request could use up
        // what this rule has agreed to before the last rule is asked.
        let mut shard = table.shard(tally.key);
        let state = shard.state(tally.key, now, tally.lineage);
        state.turn(rate, now);
        let wait = state.wait(rate, now, tally.cost);
        let agrees = wait == 0 || !tally.refuses;
        let passes = self.enter(rest, passes && agrees);
        // A rule that only observes lets pass what is beyond its rate, but does not count it. An
        // enforced rule counts no request that it refuses, and the rehearsal has to show the same
        // numbers.
        let is_entered = passes && wait == 0;
        let receipt = if is_entered {
            state.take(rate, now, tally.cost)
        } else {
            Receipt::default()
        };
        let room = state.room(rate, now);
        if !is_entered || tally.cost == 0 {
            shard.leave(tally.key, now);
        }
        self.standings[at] = Standing {
            wait,
            left: room.left,
            full_in: room.full_in,
            receipt,
        };
        passes
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::test_util::ManualClock;
    use crate::throttle::limiter::key::Keys;
    use proptest::prelude::*;
    use std::time::Duration;

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
