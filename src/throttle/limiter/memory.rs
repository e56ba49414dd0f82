use super::algorithm::Moment;
use super::answer::LimiterAnswer;
use super::charge::Charge;
use super::counter::Counter;
use super::counters::Counters;
use super::error::LimiterError;
use super::key::{Key, Keys};
use super::limiter::Limiter;
use super::rule_id::RuleId;
use super::standing::{Receipt, Standing};
use super::table::Lineage;
use super::tally::{Tally, enter_all};
use crate::clock::Clock;
use crate::rate::Rate;
use std::collections::HashMap;
use std::fmt;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, PoisonError};

/// Of how many callers a rule keeps track at once, unless it is told otherwise.
pub(crate) const MOST_KEYS: usize = 1_000_000;
/// How many of the rates that a rule had before are looked at.
// Each new caller looks these up within the first period, so their number is bounded.
const MOST_REPLACED: usize = 4;

/// Counts in this process, without waiting for anything: what a layer has by default.
///
/// It keeps the counters of every rule by its scope and name ([`RuleId`]) for as long as it lives:
/// a layer that is built anew goes on counting where the old one was, and two layers that have the
/// same rule count together. Under a rate that is new to a rule, each caller goes on from where it
/// was under the one before.
pub struct MemoryLimiter {
    keys: Keys,
    /// Held while a rule is looked up, never while one is counted under. A panic cannot leave half
    /// a change here.
    rules: Mutex<HashMap<RuleId, Kept>>,
}

struct Kept {
    counters: Arc<Counters>,
    /// Those that a rule of this name had or has, the last one last; of each form only as many as
    /// are looked at.
    rates: Vec<Rate>,
}

impl Kept {
    /// Notes the rate that the rule has from now on.
    fn replace_rate(&mut self, rate: Rate) {
        // A rate that comes back is moved to the end: it is the last one for whatever replaces it
        // next.
        self.rates.retain(|other| *other != rate);
        self.rates.push(rate);
        let of_its_form = self.rates.iter().filter(|other| is_of_form(other, rate));
        // A process that replaces its limits again and again would keep all of them otherwise.
        if of_its_form.count() > MOST_REPLACED + 1
            && let Some(first) = self.rates.iter().position(|other| is_of_form(other, rate))
        {
            self.rates.remove(first);
        }
    }
}

/// Each form of rate has a table of its own, and a state of one says nothing to another.
fn is_of_form(one: &Rate, other: Rate) -> bool {
    discriminant(&one.form()) == discriminant(&other.form())
}

impl MemoryLimiter {
    /// Nobody has called yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            keys: Keys::new(),
            rules: Mutex::default(),
        }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The place of a rule with that rate of its own. Of how many callers it keeps track is said by
    /// who comes first.
    pub(crate) fn rule(
        &self,
        id: &RuleId,
        rate: Rate,
        most_keys: usize,
        clock: &dyn Clock,
    ) -> Counter {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept(&mut rules, id, most_keys);
        let salt = self.keys.salt(&rate);
        let replaced = kept
            .rates
            .iter()
            .rev()
            .filter(|other| **other != rate && is_of_form(other, rate));
        let lineage = Lineage {
            towards: replaced
                .take(MOST_REPLACED)
                .map(|other| salt.towards(self.keys.salt(other)))
                .collect(),
            until: Moment::steady(clock).steady.saturating_add(rate.nanos()),
        };
        kept.replace_rate(rate);
        Counter::new(Arc::clone(&kept.counters), rate, salt, lineage)
    }

    /// The key of a caller who comes as a hash.
    pub(crate) fn key(&self, charge: &Charge) -> Key {
        self.keys.of(b'h', &[charge.caller().as_bytes()])
    }

    fn counters(&self, charge: &Charge) -> Arc<Counters> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&kept(&mut rules, charge.rule(), MOST_KEYS).counters)
    }

    fn tally<'a>(&self, counters: &'a Counters, charge: &Charge) -> Tally<'a> {
        let rate = charge.rate();
        Tally {
            counters,
            lineage: Lineage::NONE,
            key: self.key(charge).under(self.keys.salt(&rate)),
            rate,
            cost: charge.cost(),
            refuses: charge.refuses(),
        }
    }
}

fn kept<'a>(rules: &'a mut HashMap<RuleId, Kept>, id: &RuleId, most_keys: usize) -> &'a mut Kept {
    rules.entry(id.clone()).or_insert_with(|| Kept {
        counters: Arc::new(Counters::new(most_keys)),
        rates: Vec::new(),
    })
}

impl Limiter for MemoryLimiter {
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        for (at, charge) in charges.iter().enumerate() {
            // Two charges under one rule would lock the same counters, and the second would wait
            // for the first for ever.
            if charges[..at]
                .iter()
                .any(|other| other.rule() == charge.rule())
            {
                return Err(LimiterError::new("a rule stands twice beside itself")).into();
            }
        }
        let counters: Vec<Arc<Counters>> =
            charges.iter().map(|charge| self.counters(charge)).collect();
        let tallies: Vec<Tally<'_>> = charges
            .iter()
            .zip(&counters)
            .map(|(charge, counters)| self.tally(counters, charge))
            .collect();
        Ok(enter_all(&tallies, &**clock)).into()
    }

    fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        let counters = self.counters(charge);
        Ok(self.tally(&counters, charge).take(&**clock)).into()
    }

    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()> {
        let counters = self.counters(charge);
        self.tally(&counters, charge).give_back(receipt, &**clock);
        Ok(()).into()
    }
}

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let callers = rules
            .iter()
            .map(|(id, kept)| (id.to_string(), kept.counters.len()));
        f.debug_struct("MemoryLimiter")
            .field("callers", &callers.collect::<HashMap<_, _>>())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::test_util::ManualClock;
    use crate::throttle::limiter::CallerHash;
    use std::time::Duration;

    struct World {
        limiter: MemoryLimiter,
        clock: ManualClock,
    }

    impl World {
        fn new() -> Self {
            Self {
                limiter: MemoryLimiter::new(),
                clock: ManualClock::new(1_705_190_400),
            }
        }

        fn rule(&self, scope: &str, rate: &str) -> Counter {
            let id = RuleId::new(scope, "principal");
            self.limiter.rule(&id, parsed(rate), 1_000, &self.clock)
        }

        /// How many of so many requests of one caller pass.
        fn admits(&self, rule: &Counter, rate: &str, times: usize) -> usize {
            let keys = self.limiter.keys();
            let key = rule.key_under(keys.of(b'p', &[b"anna"]), &parsed(rate), keys);
            (0..times)
                .filter(|_| rule.tally(key, parsed(rate), 1).enter(&self.clock).wait == 0)
                .count()
        }

        fn advance(&self, seconds: u64) {
            self.clock.advance(Duration::from_secs(seconds));
        }
    }

    fn parsed(rate: &str) -> Rate {
        rate.parse().expect("a rate")
    }

    #[test]
    fn rules_of_one_scope_and_name_count_together_whoever_has_them() {
        for rate in ["5/min", "5/min burst 5", "5/day calendar"] {
            let world = World::new();
            let (one, two) = (world.rule("", rate), world.rule("", rate));
            assert_eq!(world.admits(&one, rate, 3), 3);
            assert_eq!(world.admits(&two, rate, 9), 2, "{rate}");
            drop((one, two));
            assert_eq!(
                world.admits(&world.rule("", rate), rate, 9),
                0,
                "built anew"
            );
            assert_eq!(world.admits(&world.rule("search", rate), rate, 9), 5);
        }
    }

    #[test]
    fn a_replaced_rate_goes_on_from_where_the_old_one_was() {
        for (old, new) in [
            ("5/min", "8/min"),
            ("5/day", "8/min"),
            ("5/day calendar", "8/hour calendar"),
        ] {
            let world = World::new();
            let before = world.rule("", old);
            assert_eq!(world.admits(&before, old, 9), 5);
            let after = world.rule("", new);
            assert_eq!(world.admits(&after, new, 9), 3, "{old}, then {new}");
            assert_eq!(world.admits(&before, old, 9), 0, "and forgives nothing");
            for _ in 0..3 {
                world.advance(3600);
                let admitted = world.admits(&after, new, 9);
                assert_eq!(admitted, 8, "{old}, then {new}: for a period only");
            }
        }
    }

    #[test]
    fn of_rates_that_are_replaced_without_end_a_few_of_each_form_are_kept() {
        let world = World::new();
        for n in 1..1_000 {
            for form in ["", " burst 1", " calendar"] {
                let _ = world.rule("", &format!("{n}/day{form}"));
            }
        }
        let rules = world.limiter.rules.lock().unwrap();
        let kept = rules.values().map(|kept| kept.rates.len());
        assert_eq!(kept.sum::<usize>(), 3 * (MOST_REPLACED + 1));
    }

    #[test]
    fn a_rate_of_a_callers_own_is_counted_by_itself() {
        for (own, other) in [
            ("50/day", "2/s"),
            ("50/day", "60/hour"),
            ("5/day burst 5", "100/s burst 1"),
            ("50/day calendar", "9/hour calendar"),
        ] {
            let world = World::new();
            let rule = world.rule("", own);
            let mut admitted = 0;
            // Twenty minutes, early on a day.
            for _ in 0..1_200 {
                admitted += world.admits(&rule, own, 1);
                world.admits(&rule, other, 1);
                world.advance(1);
            }
            let most = parsed(own).most();
            assert_eq!(admitted, most as usize, "{own} beside {other}");
        }
    }

    #[test]
    fn charges_are_all_or_nothing_and_each_rule_stands_once() {
        let world = World::new();
        let clock: Arc<dyn Clock> = Arc::new(world.clock.clone());
        let charge = |name: &str, rate: &str| {
            let caller = CallerHash::new([7; 16]);
            Charge::new(RuleId::new("", name), caller, parsed(rate), 1)
        };
        let count = |charges: &[Charge]| match world.limiter.count(charges, &clock) {
            LimiterAnswer::Ready(answer) => answer,
            LimiterAnswer::Pending(_) => panic!("memory answers at once"),
        };
        let charges = [charge("wide", "9/min"), charge("narrow", "2/min")];
        let left = |charges: &[Charge]| {
            let standings = count(charges).unwrap();
            let left: Vec<u32> = standings.iter().map(Standing::left).collect();
            (standings.iter().all(|standing| standing.wait == 0), left)
        };
        assert_eq!(left(&charges), (true, vec![8, 1]));
        assert_eq!(left(&charges), (true, vec![7, 0]));
        assert_eq!(left(&charges), (false, vec![7, 0]));
        let observed = [
            charge("wide", "9/min"),
            charge("narrow", "2/min").observed(),
        ];
        assert_eq!(left(&observed), (false, vec![6, 0]));
        assert!(count(&[charge("wide", "9/min"), charge("wide", "5/s")]).is_err());
    }

    /// Locks are taken in one order, whatever the order of the rules.
    #[test]
    fn two_stacks_that_share_counters_do_not_wait_for_each_other() {
        let limiter = MemoryLimiter::new();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let charge = |name: &str| {
            let caller = CallerHash::new([7; 16]);
            Charge::new(RuleId::new("", name), caller, parsed("1000000/day"), 1)
        };
        let orders = [["one", "two", "three"], ["three", "two", "one"]];
        std::thread::scope(|scope| {
            for order in orders {
                let (limiter, clock) = (&limiter, &clock);
                let charges = order.map(charge);
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        let _ = limiter.count(&charges, clock);
                    }
                });
            }
        });
        let LimiterAnswer::Ready(answer) = limiter.count(&orders[0].map(charge), &clock) else {
            panic!("memory answers at once");
        };
        assert_eq!(answer.unwrap()[2].left(), 1_000_000 - 40_001);
    }
}
