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
        Standing {
            wait,
            left: room.left,
            full_in: room.full_in,
            receipt,
        }
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
        let mut shard = table.shard(tally.key);
        let state = shard.state(tally.key, now, tally.lineage);
        state.turn(rate, now);
        let wait = state.wait(rate, now, tally.cost);
        let agrees = wait == 0 || !tally.refuses;
        let passes = self.enter(rest, passes && agrees);
        let receipt = if passes && wait == 0 {
            state.take(rate, now, tally.cost)
        } else {
            Receipt::default()
        };
        let room = state.room(rate, now);
        self.standings[at] = Standing {
            wait,
            left: room.left,
            full_in: room.full_in,
            receipt,
        };
        passes
    }
}
