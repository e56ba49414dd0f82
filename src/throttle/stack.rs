use super::by::hook;
use super::call::Call;
use super::fields::{Line, QuotaFields};
use super::limiter::{
    CallerHash, Charge, Key, LimiterAnswer, LimiterError, MemoryLimiter, Standing, Tally, enter_all,
};
use super::rule::{Mode, Outage, Rule, Throttle, is_name};
use super::settlement::{Charged, Settlement};
use super::shared::{SharedLimiter, answered, checked};
use crate::address::Addresses;
use crate::clock::Clock;
use crate::config::ConfigProblem;
use crate::event::Events;
use crate::metrics::{Callee, Outcome};
use crate::rate::Rate;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use crate::reject::{LimitFields, Rejection};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The rules that stand together, all-or-nothing: those of a layer, or of a route.
pub(crate) struct Stack {
    rules: Vec<Rule>,
    settles: bool,
    surroundings: Surroundings,
}

/// What stacks of one layer share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shown: QuotaFields,
    pub(crate) events: Events,
    pub(crate) memory: Arc<MemoryLimiter>,
    /// Where it is not this process that counts.
    pub(crate) limiter: Option<Arc<SharedLimiter>>,
}

/// What a stack says of a request.
pub(crate) enum Verdict {
    Known(Result<Passed, Rejection>),
    Asked(PendingVerdict),
}

/// A verdict to come.
pub(crate) type PendingVerdict = Pin<Box<dyn Future<Output = Result<Passed, Rejection>> + Send>>;

/// What goes on with a request that passed.
#[derive(Default)]
pub(crate) struct Passed {
    /// For its answer.
    pub(crate) fields: Option<LimitFields>,
    /// For its handler.
    pub(crate) settlement: Option<Settlement>,
}

/// What a rule is asked about a request. A caller is a key of the memory's, or a hash for others.
#[derive(Clone, Copy)]
struct Step<C> {
    rule: usize,
    caller: C,
    rate: Rate,
    cost: u32,
}

impl Stack {
    /// Compiles rules. `scope` tells the rules of a route from others, in limiters and in policies.
    pub(crate) fn build(
        scope: &str,
        throttles: Vec<Throttle>,
        surroundings: Surroundings,
        problems: &mut Vec<ConfigProblem>,
    ) -> Self {
        if !scope.is_empty() && !is_name(scope) {
            problems.push(ConfigProblem::ThrottleName);
        }
        let counted_by = (&*surroundings.memory, &*surroundings.clock);
        let mut rules: Vec<Rule> = Vec::new();
        for throttle in throttles {
            let rule = throttle.compile(scope, &rules, counted_by, problems);
            rules.extend(rule);
        }
        Self {
            settles: rules.iter().any(|rule| rule.settled),
            rules,
            surroundings,
        }
    }

    /// How a request is refused by them: as one too many, and where the limiter does not answer and a
    /// rule wants it to.
    #[cfg(feature = "openapi")]
    pub(crate) fn refusals(&self) -> Vec<RejectionKind> {
        let mut refusals = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.mode == Mode::Enforced) {
            refusals.push(RejectionKind::Throttled);
            if rule.outage == Outage::Refuse && self.surroundings.limiter.is_some() {
                refusals.push(RejectionKind::Unavailable);
            }
        }
        refusals
    }

    #[inline]
    pub(crate) fn check(self: &Arc<Self>, call: &Call<'_>) -> Verdict {
        match &self.surroundings.limiter {
            None => Verdict::Known(self.check_here(call)),
            Some(limiter) => match self.ask(limiter, call) {
                Ok(verdict) => verdict,
                Err(rejection) => Verdict::Known(Err(rejection)),
            },
        }
    }

    /// In this process, without waiting.
    #[inline]
    fn check_here(&self, call: &Call<'_>) -> Result<Passed, Rejection> {
        let keys = self.surroundings.memory.keys();
        // Nearly all stacks have one rule, which needs neither a list nor locks taken in order.
        if let [_] = self.rules.as_slice() {
            return match self.step(0, call, |kind, parts| keys.of(kind, parts))? {
                Some(step) => self.enter_one(self.keyed(step)),
                None => Ok(Passed::default()),
            };
        }
        let mut steps = Vec::with_capacity(self.rules.len());
        for rule in 0..self.rules.len() {
            let step = self.step(rule, call, |kind, parts| keys.of(kind, parts))?;
            steps.extend(step.map(|step| self.keyed(step)));
        }
        self.enter_all(&steps)
    }

    /// Functions of the application's own are called here, before any lock is held.
    #[inline(always)] // nearly all rules have neither quota nor cost
    fn step<C>(
        &self,
        at: usize,
        call: &Call<'_>,
        hash: impl Fn(u8, &[&[u8]]) -> C,
    ) -> Result<Option<Step<C>>, Rejection> {
        let rule = &self.rules[at];
        let caller = match rule.by.our_user(call) {
            Some(id) => Some(hash(b'P', &[id])),
            None => rule.by.parts(call, &self.surroundings.addresses, hash)?,
        };
        let Some(caller) = caller else {
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
            caller,
            rate,
            cost,
        }))
    }

    /// Where the caller is counted under the rate of the step.
    #[inline]
    fn keyed(&self, step: Step<Key>) -> Step<Key> {
        let Rule { quota, counter, .. } = &self.rules[step.rule];
        let caller = match quota {
            None => counter.key(step.caller),
            Some(_) => counter.key_under(step.caller, &step.rate, self.surroundings.memory.keys()),
        };
        Step { caller, ..step }
    }

    #[inline]
    fn enter_one(&self, step: Step<Key>) -> Result<Passed, Rejection> {
        let standing = self.tally(&step).enter(&*self.surroundings.clock);
        self.conclude(&[step], &[standing], |step, standing| {
            self.charged_here(step, standing)
        })
    }

    fn enter_all(&self, steps: &[Step<Key>]) -> Result<Passed, Rejection> {
        let tallies: Vec<Tally<'_>> = steps.iter().map(|step| self.tally(step)).collect();
        let standings = enter_all(&tallies, &*self.surroundings.clock);
        self.conclude(steps, &standings, |step, standing| {
            self.charged_here(step, standing)
        })
    }

    #[inline]
    fn tally(&self, step: &Step<Key>) -> Tally<'_> {
        let rule = &self.rules[step.rule];
        Tally {
            refuses: rule.mode == Mode::Enforced,
            ..rule.counter.tally(step.caller, step.rate, step.cost)
        }
    }

    /// Asks a limiter that may have to ask somebody.
    #[cold]
    fn ask(
        self: &Arc<Self>,
        limiter: &Arc<SharedLimiter>,
        call: &Call<'_>,
    ) -> Result<Verdict, Rejection> {
        let mut steps = Vec::with_capacity(self.rules.len());
        for rule in 0..self.rules.len() {
            steps.extend(self.step(rule, call, CallerHash::of)?);
        }
        // No rule concerns the request, so nobody waits for a server.
        if steps.is_empty() {
            return Ok(Verdict::Known(Ok(Passed::default())));
        }
        let charges: Vec<Charge> = steps.iter().map(|step| self.charge(step)).collect();
        match limiter.count(&charges, &self.surroundings.clock) {
            LimiterAnswer::Ready(answer) => {
                let answer = checked(answer, steps.len());
                Ok(Verdict::Known(self.answered(limiter, &steps, answer)))
            }
            LimiterAnswer::Pending(answer) => {
                let stack = Arc::clone(self);
                let limiter = Arc::clone(limiter);
                let started = self.surroundings.events.meter().started();
                Ok(Verdict::Asked(Box::pin(async move {
                    let answer = answered(answer, steps.len()).await;
                    let outcome = match answer {
                        Ok(_) => Outcome::Answered,
                        Err(_) => Outcome::Failed,
                    };
                    let meter = stack.surroundings.events.meter();
                    meter.called(Callee::Limiter, started, outcome);
                    stack.answered(&limiter, &steps, answer)
                })))
            }
        }
    }

    /// How a caller stands with each rule, in words, and why the next request of its cost would be
    /// refused. Nothing is counted.
    pub(crate) async fn rehearse(
        self: &Arc<Self>,
        call: &Call<'_>,
    ) -> Vec<(String, Option<Rejection>)> {
        let mut told = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let name = rule.id.name();
            let standing = match &self.surroundings.limiter {
                None => self.rehearse_here(at, call),
                Some(limiter) => self.rehearse_there(at, limiter, call).await,
            };
            told.push(match standing {
                Ok(None) => (format!("{name}: does not concern it"), None),
                Ok(Some((cost, rate, standing))) => {
                    // Where a limiter elsewhere was asked at a cost of 0, `wait` says nothing of
                    // the real cost, so what is left is compared with that.
                    let is_enough = standing.wait == 0 && standing.left >= cost;
                    let is_refused = !is_enough && rule.mode == Mode::Enforced;
                    let rejection = is_refused.then(|| Rejection::throttled(standing.wait()));
                    (said_of(rule, cost, rate, standing), rejection)
                }
                Err(rejection) => (format!("{name}: {rejection}"), Some(rejection)),
            });
        }
        told
    }

    fn rehearse_here(
        &self,
        at: usize,
        call: &Call<'_>,
    ) -> Result<Option<(u32, Rate, Standing)>, Rejection> {
        let keys = self.surroundings.memory.keys();
        let step = self.step(at, call, |kind, parts| keys.of(kind, parts))?;
        let Some(step) = step else {
            return Ok(None);
        };
        let step = self.keyed(step);
        let free = Step { cost: 0, ..step };
        // A cost of 0 enters nothing and still tells what is left. Whether the real cost would pass
        // is asked by itself, which enters nothing either.
        let mut standing = self.tally(&free).enter(&*self.surroundings.clock);
        standing.wait = self.tally(&step).wait(&*self.surroundings.clock);
        Ok(Some((step.cost, step.rate, standing)))
    }

    async fn rehearse_there(
        &self,
        at: usize,
        limiter: &Arc<SharedLimiter>,
        call: &Call<'_>,
    ) -> Result<Option<(u32, Rate, Standing)>, Rejection> {
        let Some(step) = self.step(at, call, CallerHash::of)? else {
            return Ok(None);
        };
        let free = Step { cost: 0, ..step };
        let answer = match limiter.count(&[self.charge(&free)], &self.surroundings.clock) {
            LimiterAnswer::Ready(answer) => checked(answer, 1),
            LimiterAnswer::Pending(answer) => answered(answer, 1).await,
        };
        match answer {
            Ok(standings) => Ok(standings
                .first()
                .map(|standing| (step.cost, step.rate, *standing))),
            Err(error) => Err(Rejection::unavailable("limiter failed", error)),
        }
    }

    fn charge(&self, step: &Step<CallerHash>) -> Charge {
        let rule = &self.rules[step.rule];
        let mut charge = Charge::new(rule.id.clone(), step.caller, step.rate, step.cost);
        if rule.mode == Mode::Observed {
            charge = charge.observed();
        }
        if rule.settled {
            charge = charge.corrected_later();
        }
        charge
    }

    fn answered(
        &self,
        limiter: &Arc<SharedLimiter>,
        steps: &[Step<CallerHash>],
        answer: Result<Vec<Standing>, LimiterError>,
    ) -> Result<Passed, Rejection> {
        match answer {
            Ok(standings) => self.conclude(steps, &standings, |step, standing| {
                Charged::elsewhere(limiter, self.charge(step), standing.receipt)
            }),
            Err(error) => {
                limiter.failed(&error, &*self.surroundings.clock);
                self.in_outage(steps, limiter.limiter().node_count(), error)
            }
        }
    }

    /// What the rules say while the limiter does not answer. This is the one place that decides it,
    /// whoever the limiter is.
    fn in_outage(
        &self,
        steps: &[Step<CallerHash>],
        nodes: u32,
        error: LimiterError,
    ) -> Result<Passed, Rejection> {
        let memory = &self.surroundings.memory;
        let mut shares = Vec::new();
        for step in steps {
            let rule = &self.rules[step.rule];
            match (rule.outage, rule.mode) {
                (Outage::Refuse, Mode::Enforced) => {
                    // Before any share is entered below: a request that is refused is counted under
                    // no rule.
                    return Err(Rejection::unavailable("limiter failed", error));
                }
                (Outage::Refuse, Mode::Observed) | (Outage::Admit, _) => {}
                (Outage::LocalShare, _) => {
                    let rate = step.rate.share(nodes);
                    let caller = memory.keys().of(b'h', &[step.caller.as_bytes()]);
                    shares.push(Step {
                        rule: step.rule,
                        caller: rule.counter.key_under(caller, &rate, memory.keys()),
                        rate,
                        cost: step.cost,
                    });
                }
            }
        }
        self.enter_all(&shares)
    }

    /// Makes one answer of those of the rules.
    #[inline(always)] // it is mostly of one, which the compiler can then see
    fn conclude<C>(
        &self,
        steps: &[Step<C>],
        standings: &[Standing],
        charged: impl Fn(&Step<C>, &Standing) -> Charged,
    ) -> Result<Passed, Rejection> {
        let mut longest = 0;
        for (step, standing) in steps.iter().zip(standings) {
            if standing.wait == 0 {
                continue;
            }
            let rule = &self.rules[step.rule];
            if rule.mode == Mode::Observed {
                let Surroundings { events, clock, .. } = &self.surroundings;
                events.would_refuse(rule.id.scope(), rule.id.name(), &**clock)?;
            } else {
                let meter = self.surroundings.events.meter();
                meter.throttled(rule.id.scope(), rule.id.name());
                // All rules have to let the next try pass, so the caller is told to wait for the
                // slowest.
                longest = longest.max(told(standing.wait, step.rate));
            }
        }
        let fields = self.fields(steps, standings);
        if longest > 0 {
            return Err(Rejection::throttled(Duration::from_nanos(longest)).with_quota(fields));
        }
        let settlement = if self.settles {
            self.settlement(steps, standings, charged)
        } else {
            None
        };
        Ok(Passed { fields, settlement })
    }

    /// What a rule that only rehearses would say is no promise to anybody.
    #[inline(always)] // as `conclude`
    fn fields<C>(&self, steps: &[Step<C>], standings: &[Standing]) -> Option<LimitFields> {
        let shown = self.surroundings.shown;
        if shown == QuotaFields::Hidden {
            return None;
        }
        if let ([step], [standing]) = (steps, standings) {
            return match self.rules[step.rule].mode {
                Mode::Enforced => shown.of(&[self.line(step, standing)]),
                Mode::Observed => None,
            };
        }
        let told = steps
            .iter()
            .zip(standings)
            .filter(|(step, _)| self.rules[step.rule].mode == Mode::Enforced);
        let lines: Vec<Line<'_>> = told
            .map(|(step, standing)| self.line(step, standing))
            .collect();
        shown.of(&lines)
    }

    #[inline]
    fn line<C>(&self, step: &Step<C>, standing: &Standing) -> Line<'_> {
        let (left, reset) = match standing.wait {
            0 => (standing.left, standing.full_in),
            // Something may be left where the cost is more than 1, but nothing that a request like
            // this one could use.
            wait => (0, wait),
        };
        let reset = told(reset, step.rate);
        Line {
            told: &self.rules[step.rule].told,
            rate: step.rate,
            left,
            reset: seconds(reset),
        }
    }

    #[cold]
    fn settlement<C>(
        &self,
        steps: &[Step<C>],
        standings: &[Standing],
        charged: impl Fn(&Step<C>, &Standing) -> Charged,
    ) -> Option<Settlement> {
        let mut all = Vec::new();
        for (step, standing) in steps.iter().zip(standings) {
            // A rule that only observes lets a request pass that is too many, but enters nothing,
            // so there is nothing to correct.
            if self.rules[step.rule].settled && standing.wait == 0 {
                all.push(charged(step, standing));
            }
        }
        if all.is_empty() {
            return None;
        }
        Some(Settlement::new(all, Arc::clone(&self.surroundings.clock)))
    }

    fn charged_here(&self, step: &Step<Key>, standing: &Standing) -> Charged {
        let counters = self.rules[step.rule].counter.counters();
        let entered = (step.caller, step.rate, step.cost);
        Charged::here(counters, entered, standing.receipt)
    }
}

/// Nobody is told to wait for longer than a period, in nanoseconds. By then so many are there again
/// as the rate says, even where a burst is larger, a debt is deeper, or another limiter counts
/// otherwise.
#[inline]
fn told(wait: u64, rate: Rate) -> u64 {
    wait.min(rate.nanos())
}

/// Whole seconds, rounded up: whoever waits as told is never early.
fn seconds(nanos: u64) -> u32 {
    u32::try_from(nanos.div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}

/// `principal: 2000/day, 12 left, all of it again in 3600 s`
fn said_of(rule: &Rule, cost: u32, rate: Rate, standing: Standing) -> String {
    let name = rule.id.name();
    let left = standing.left;
    let full_in = standing.full_in().as_secs();
    let mut text = format!("{name}: {rate}, {left} left, all of it again in {full_in} s");
    if standing.wait > 0 {
        let wait = standing.wait().as_secs().max(1);
        text.push_str(&format!(", refused for {wait} s"));
    }
    if cost != 1 {
        text.push_str(&format!(", this request costs {cost}"));
    }
    if rule.mode == Mode::Observed {
        text.push_str(", only observed");
    }
    text
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<_> = self
            .rules
            .iter()
            .map(|rule| {
                (
                    rule.id.to_string(),
                    rule.rate,
                    rule.counter.counters().len(),
                )
            })
            .collect();
        f.debug_struct("Stack")
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}
