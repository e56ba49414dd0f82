use super::address::Addresses;
use super::algorithm::{Moment, Receipt, State};
use super::call::Call;
use super::fields::{Fields, Standing, Standings, Told};
use super::key::{Key, Keys, hook};
use super::rule::{Mode, Rule, Throttle, is_name};
use super::settlement::{Entry, Settlement};
use super::table::Table;
use crate::clock::{Clock, nanos};
use crate::config::ConfigProblem;
use crate::event::Events;
use crate::rate::{Form, Rate};
use crate::reject::Rejection;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

#[cfg(feature = "redis")]
use super::redis::RedisLimiter;

/// The rules that stand together, all-or-nothing: those of a layer, or of a route.
pub(crate) struct Stack {
    pub(super) scope: Box<str>,
    pub(super) rules: Vec<Rule>,
    /// What is told of each rule.
    pub(super) told: Vec<Told>,
    pub(super) shown: QuotaFields,
    settles: bool,
    addresses: Arc<Addresses>,
    keys: Keys,
    clock: Arc<dyn Clock>,
    events: Events,
    #[cfg(feature = "redis")]
    limiter: Option<Arc<RedisLimiter>>,
}

/// Which fields tell callers what is left.
///
/// | | fields |
/// |---|---|
/// | `Standard` | `RateLimit` and `RateLimit-Policy`, an item for each rule ([draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)) |
/// | `Legacy` | `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now) of the rule with the least left |
/// | `Both` | all of them |
/// | `Hidden` | none; `Retry-After` tells a refused caller when to come back all the same |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaFields {
    /// `RateLimit` and `RateLimit-Policy`.
    #[default]
    Standard,
    /// `X-RateLimit-*`.
    Legacy,
    /// Both kinds.
    Both,
    /// None.
    Hidden,
}

/// What stacks of one layer share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shown: QuotaFields,
    pub(crate) events: Events,
    #[cfg(feature = "redis")]
    pub(crate) limiter: Option<Arc<RedisLimiter>>,
}

/// What a stack says of a request.
pub(crate) enum Verdict {
    Passed(Passed),
    Refused(Rejection),
    #[cfg(feature = "redis")]
    Asked(PendingVerdict),
}

/// A verdict to come.
#[cfg(feature = "redis")]
pub(crate) type PendingVerdict =
    std::pin::Pin<Box<dyn Future<Output = Result<Passed, Rejection>> + Send>>;

/// What goes on with a request that passed.
#[derive(Default)]
pub(crate) struct Passed {
    /// For its answer.
    pub(crate) fields: Option<Fields>,
    /// For its handler.
    pub(crate) settlement: Option<Settlement>,
}

#[cfg(feature = "redis")]
type Shared = super::redis::SharedKey;
#[cfg(not(feature = "redis"))]
type Shared = ();

/// What a rule is asked about a request.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) rule: usize,
    pub(super) key: Key,
    #[cfg(feature = "redis")]
    pub(super) shared: Shared,
    pub(super) rate: Rate,
    pub(super) cost: u32,
}

/// What it answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) wait: u64,
    pub(super) left: u32,
    pub(super) full_in: u64,
    pub(super) receipt: Receipt,
}

impl Stack {
    /// Compiles rules. `scope` tells the rules of a route from others, on a shared limiter and in policies.
    pub(crate) fn build(
        scope: &str,
        throttles: Vec<Throttle>,
        surroundings: Surroundings,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        if !scope.is_empty() && !is_name(scope) {
            problems.push(ConfigProblem::ThrottleName);
        }
        let mut rules: Vec<Rule> = Vec::new();
        for throttle in throttles {
            let rule = throttle.compile(&rules, problems);
            rules.extend(rule);
        }
        let told = rules
            .iter()
            .map(|rule| Told::new(scope, &rule.name, &rule.rate))
            .collect();
        #[cfg(feature = "redis")]
        let Surroundings {
            addresses,
            clock,
            shown,
            events,
            limiter,
        } = surroundings;
        #[cfg(not(feature = "redis"))]
        let Surroundings {
            addresses,
            clock,
            shown,
            events,
        } = surroundings;
        Self {
            scope: scope.into(),
            settles: rules.iter().any(|rule| rule.settled),
            rules,
            told,
            shown,
            addresses,
            keys: Keys::new(),
            clock,
            events,
            #[cfg(feature = "redis")]
            limiter,
        }
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn rule(&self, at: usize) -> &Rule {
        &self.rules[at]
    }

    /// Only calendars look at the wall clock.
    #[inline]
    pub(super) fn now(&self, steps: &[Step]) -> Moment {
        let by_calendar = steps.iter().any(|step| step.rate.form() == Form::Calendar);
        let wall = || self.clock.now().duration_since(UNIX_EPOCH).map_or(0, nanos);
        Moment {
            steady: nanos(self.clock.steady()),
            wall: if by_calendar { wall() } else { 0 },
        }
    }

    #[inline]
    pub(crate) fn check(self: &Arc<Self>, call: &Call<'_>) -> Verdict {
        // Nearly all have one rule, which needs no list.
        let steps = match self.rules.as_slice() {
            [_] => match self.step(0, call) {
                Ok(Some(step)) => return self.decide(&[step]),
                Ok(None) => Ok(Vec::new()),
                Err(rejection) => Err(rejection),
            },
            rules => {
                let all = (0..rules.len()).map(|rule| self.step(rule, call));
                all.filter_map(Result::transpose).collect()
            }
        };
        match steps {
            Ok(steps) if steps.is_empty() => Verdict::Passed(Passed::default()),
            Ok(steps) => self.decide(&steps),
            Err(rejection) => Verdict::Refused(rejection),
        }
    }

    /// Functions of the application's own are called here, before any lock is held.
    #[inline]
    fn step(&self, rule: usize, call: &Call<'_>) -> Result<Option<Step>, Rejection> {
        let at = rule;
        let rule = &self.rules[rule];
        let keys = match rule.by.our_user(call) {
            Some(id) => Some(self.hashed(b'P', &[id])),
            None => rule.by.parts(call, &self.addresses, |kind, parts| {
                self.hashed(kind, parts)
            })?,
        };
        let Some((key, _shared)) = keys else {
            return Ok(None);
        };
        let rate = match (&rule.quota, call.principal()) {
            (Some(quota), Some(principal)) => hook(|| quota(principal))?.unwrap_or(rule.rate),
            _ => rule.rate,
        };
        let cost = match &rule.cost {
            Some(cost) => hook(|| cost(call))?,
            None => 1,
        };
        Ok(Some(Step {
            rule: at,
            key,
            #[cfg(feature = "redis")]
            shared: _shared,
            rate,
            cost,
        }))
    }

    /// The keys of a caller, here and on a shared limiter.
    #[inline(always)]
    fn hashed(&self, kind: u8, parts: &[&[u8]]) -> (Key, Shared) {
        #[cfg(feature = "redis")]
        let shared = self
            .limiter
            .as_ref()
            .map_or_else(Shared::default, |limiter| limiter.key(kind, parts));
        #[cfg(not(feature = "redis"))]
        let shared = ();
        (self.keys.of(kind, parts), shared)
    }

    #[inline]
    fn decide(self: &Arc<Self>, steps: &[Step]) -> Verdict {
        #[cfg(feature = "redis")]
        if let Some(limiter) = &self.limiter {
            return limiter.decide(self, steps);
        }
        self.decide_here(steps)
            .map_or_else(Verdict::Refused, Verdict::Passed)
    }

    /// Decides in this process.
    #[inline]
    pub(super) fn decide_here(self: &Arc<Self>, steps: &[Step]) -> Result<Passed, Rejection> {
        if let [step] = steps {
            return self.conclude(steps, &[self.enter_one(step)]);
        }
        self.conclude(steps, &self.enter_all(steps))
    }

    /// Whether the first rule lets one more of a key pass.
    #[cfg(feature = "test-util")]
    pub(super) fn admits(&self, key: &[u8]) -> bool {
        let step = Step {
            rule: 0,
            key: self.keys.of(b't', &[key]),
            #[cfg(feature = "redis")]
            shared: super::redis::SharedKey::default(),
            rate: self.rules[0].rate,
            cost: 1,
        };
        self.enter_one(&step).wait == 0
    }

    /// What each of the steps says; where all agree, the request is entered.
    pub(super) fn enter_all(&self, steps: &[Step]) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::default(); steps.len()];
        let last = steps.len().saturating_sub(1);
        self.enter(steps, self.now(steps), true, &mut |rest, found| {
            outcomes[last - rest] = found
        });
        outcomes
    }

    #[inline]
    fn enter_one(&self, step: &Step) -> Outcome {
        let (cells, now) = (
            &self.rules[step.rule].cells,
            self.now(std::slice::from_ref(step)),
        );
        match step.rate.form() {
            Form::Sliding => enter_alone(cells.sliding(), step, now),
            Form::Paced { .. } => enter_alone(cells.paced(), step, now),
            Form::Calendar => enter_alone(cells.calendar(), step, now),
        }
    }

    /// Asks the first of the steps, then the others while its lock is held, and enters the request only where all agree.
    fn enter(
        &self,
        steps: &[Step],
        now: Moment,
        passes: bool,
        tell: &mut dyn FnMut(usize, Outcome),
    ) -> bool {
        let Some(step) = steps.first() else {
            return passes;
        };
        let cells = &self.rules[step.rule].cells;
        match step.rate.form() {
            Form::Sliding => self.enter_in(cells.sliding(), steps, now, passes, tell),
            Form::Paced { .. } => self.enter_in(cells.paced(), steps, now, passes, tell),
            Form::Calendar => self.enter_in(cells.calendar(), steps, now, passes, tell),
        }
    }

    #[inline]
    fn enter_in<S: State>(
        &self,
        table: &Table<S>,
        steps: &[Step],
        now: Moment,
        passes: bool,
        tell: &mut dyn FnMut(usize, Outcome),
    ) -> bool {
        let (step, rest) = (&steps[0], &steps[1..]);
        let mut shard = table.shard(step.key);
        let state = shard.state(step.key, now);
        state.turn(&step.rate, now);
        let wait = state.wait(&step.rate, now, step.cost);
        let agrees = wait == 0 || self.rules[step.rule].mode == Mode::Observed;
        let passes = self.enter(rest, now, passes && agrees, tell);
        let receipt = if passes && wait == 0 {
            state.take(&step.rate, now, step.cost)
        } else {
            Receipt::default()
        };
        let room = state.room(&step.rate, now);
        tell(
            rest.len(),
            Outcome {
                wait,
                left: room.left,
                full_in: room.full_in,
                receipt,
            },
        );
        passes
    }

    /// Makes one answer of those of the rules.
    #[inline(always)] // it is mostly of one, which the compiler can then see
    pub(super) fn conclude(
        self: &Arc<Self>,
        steps: &[Step],
        outcomes: &[Outcome],
    ) -> Result<Passed, Rejection> {
        let mut longest = 0;
        for (step, outcome) in steps
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.wait > 0)
        {
            let rule = &self.rules[step.rule];
            if rule.mode == Mode::Observed {
                self.events
                    .would_refuse(&self.scope, &rule.name, &*self.clock)?;
            } else {
                longest = longest.max(outcome.wait);
            }
        }
        let fields = self.fields(steps, outcomes);
        if longest > 0 {
            return Err(Rejection::throttled(Duration::from_nanos(longest)).with_quota(fields));
        }
        let settlement = if self.settles {
            self.settlement(steps, outcomes)
        } else {
            None
        };
        Ok(Passed { fields, settlement })
    }

    /// What a rule that only rehearses would say is no promise to anybody.
    #[inline]
    fn fields(self: &Arc<Self>, steps: &[Step], outcomes: &[Outcome]) -> Option<Fields> {
        if self.shown == QuotaFields::Hidden {
            return None;
        }
        let told = steps
            .iter()
            .zip(outcomes)
            .filter(|(step, _)| self.rules[step.rule].mode == Mode::Enforced);
        let standing = |(step, outcome): (&Step, &Outcome)| Standing {
            rule: step.rule,
            rate: step.rate,
            left: if outcome.wait > 0 { 0 } else { outcome.left },
            reset: seconds(if outcome.wait > 0 {
                outcome.wait
            } else {
                outcome.full_in
            }),
        };
        let standings = match (steps, outcomes) {
            ([step], [outcome]) if self.rules[step.rule].mode == Mode::Enforced => {
                Standings::One(standing((step, outcome)))
            }
            _ => Standings::Several(told.map(standing).collect()),
        };
        Fields::new(self, standings)
    }

    fn settlement(self: &Arc<Self>, steps: &[Step], outcomes: &[Outcome]) -> Option<Settlement> {
        let is_settled = |step: &Step| self.rules[step.rule].settled;
        let entered = steps
            .iter()
            .zip(outcomes)
            .filter(|(step, outcome)| is_settled(step) && outcome.wait == 0);
        let entries = entered.map(|(step, outcome)| Entry {
            step: *step,
            receipt: outcome.receipt,
            charged: step.cost,
        });
        let entries: Vec<Entry> = entries.collect();
        (!entries.is_empty()).then(|| Settlement::new(Arc::clone(self), entries))
    }

    /// Corrects what a request was charged.
    pub(super) fn settle(self: &Arc<Self>, entry: &Entry, cost: u32) {
        #[cfg(feature = "redis")]
        if let Some(limiter) = &self.limiter {
            limiter.settle(self, entry, cost);
            return;
        }
        let (charged, step) = (entry.charged, &entry.step);
        if cost > charged {
            self.with_state(step, Take(cost - charged));
        } else {
            self.with_state(step, GiveBack(entry.receipt, charged - cost));
        }
    }

    /// How long a request would wait.
    pub(super) fn peek(&self, step: &Step) -> u64 {
        self.with_state(step, Wait(step.cost))
    }

    /// Takes back what was entered.
    pub(super) fn give_back(&self, step: &Step, receipt: Receipt) {
        self.with_state(step, GiveBack(receipt, step.cost));
    }

    /// As if nothing had been entered, unless others share the state.
    pub(super) fn forget(&self, step: &Step) {
        let cells = &self.rules[step.rule].cells;
        match step.rate.form() {
            Form::Sliding => cells.sliding().shard(step.key).remove(step.key),
            Form::Paced { .. } => cells.paced().shard(step.key).remove(step.key),
            Form::Calendar => cells.calendar().shard(step.key).remove(step.key),
        }
    }

    fn with_state<A: Act>(&self, step: &Step, act: A) -> A::Answer {
        let (cells, now) = (&self.rules[step.rule].cells, self.now(&[*step]));
        match step.rate.form() {
            Form::Sliding => act_in(cells.sliding(), step, now, act),
            Form::Paced { .. } => act_in(cells.paced(), step, now, act),
            Form::Calendar => act_in(cells.calendar(), step, now, act),
        }
    }
}

fn act_in<S: State, A: Act>(table: &Table<S>, step: &Step, now: Moment, act: A) -> A::Answer {
    let mut shard = table.shard(step.key);
    let state = shard.state(step.key, now);
    state.turn(&step.rate, now);
    act.on(state, &step.rate, now)
}

/// As `enter_in`, for a rule that nobody else has a say beside.
#[inline]
fn enter_alone<S: State>(table: &Table<S>, step: &Step, now: Moment) -> Outcome {
    let mut shard = table.shard(step.key);
    let state = shard.state(step.key, now);
    state.turn(&step.rate, now);
    let wait = state.wait(&step.rate, now, step.cost);
    let receipt = if wait == 0 {
        state.take(&step.rate, now, step.cost)
    } else {
        Receipt::default()
    };
    let room = state.room(&step.rate, now);
    Outcome {
        wait,
        left: room.left,
        full_in: room.full_in,
        receipt,
    }
}

/// What is done to a state of whatever kind.
trait Act {
    type Answer;

    fn on<S: State>(self, state: &mut S, rate: &Rate, now: Moment) -> Self::Answer;
}

struct Wait(u32);
struct Take(u32);
struct GiveBack(Receipt, u32);

impl Act for Wait {
    type Answer = u64;

    fn on<S: State>(self, state: &mut S, rate: &Rate, now: Moment) -> u64 {
        state.wait(rate, now, self.0)
    }
}

impl Act for Take {
    type Answer = ();

    fn on<S: State>(self, state: &mut S, rate: &Rate, now: Moment) {
        state.take(rate, now, self.0);
    }
}

impl Act for GiveBack {
    type Answer = ();

    fn on<S: State>(self, state: &mut S, rate: &Rate, now: Moment) {
        state.give_back(rate, now, self.0, self.1);
    }
}

/// Whole seconds, rounded up: whoever waits as told is never early.
fn seconds(nanos: u64) -> u32 {
    u32::try_from(nanos.div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rules: Vec<_> = self
            .rules
            .iter()
            .map(|rule| (&rule.name, rule.rate, rule.cells.len()))
            .collect();
        f.debug_struct("Stack")
            .field("scope", &self.scope)
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}
