use super::limiter::{Charge, Counters, Key, LimiterAnswer, LimiterError, Lineage, Receipt, Tally};
use super::shared::SharedLimiter;
use crate::clock::Clock;
use crate::rate::Rate;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// For handlers of requests whose cost is known afterwards
/// ([`Throttle::settled`](super::Throttle::settled)): it is in the request's extensions.
///
/// There is one for all settled rules that a request has passed, those of the layer and those of
/// its route.
///
/// ```
/// use tower_auth::throttle::Settlement;
///
/// fn handler(request: http::Request<String>) {
///     let rows = 17;
///     if let Some(settlement) = request.extensions().get::<Settlement>() {
///         settlement.settle(rows);
///     }
/// }
/// # handler(http::Request::new(String::new()));
/// ```
#[derive(Clone)]
pub struct Settlement(Vec<Arc<Together>>);

/// What the rules that stand together have charged.
struct Together {
    charged: Vec<Charged>,
    clock: Arc<dyn Clock>,
}

/// What a request was charged by one rule.
pub(super) enum Charged {
    Here(ChargedHere),
    Elsewhere(Arc<ChargedElsewhere>),
}

/// In this process.
pub(super) struct ChargedHere {
    counters: Arc<Counters>,
    key: Key,
    rate: Rate,
    /// Held while counters are corrected, so that two calls do not correct the same.
    taken: Mutex<Vec<Taken>>,
}

/// By a limiter that has to be asked.
pub(super) struct ChargedElsewhere {
    limiter: Arc<SharedLimiter>,
    charge: Charge,
    /// What it has cost in the end, as far as that is known.
    cost: AtomicU32,
    taken: tokio::sync::Mutex<Vec<Taken>>,
}

/// What was entered under one receipt.
#[derive(Clone, Copy)]
struct Taken {
    receipt: Receipt,
    cost: u32,
}

impl Settlement {
    pub(super) fn new(charged: Vec<Charged>, clock: Arc<dyn Clock>) -> Self {
        Self(vec![Arc::new(Together { charged, clock })])
    }

    /// Settles with the rules around these too.
    pub(crate) fn within(mut self, around: Self) -> Self {
        self.0.extend(around.0);
        self
    }

    /// What the request cost in the end; a later call corrects an earlier one.
    ///
    /// - More than was charged is charged now, even beyond the limit: the caller waits until it has
    ///   run off.
    /// - Less is given back, as far as it has not run off.
    pub fn settle(&self, cost: u32) {
        for together in &self.0 {
            for charged in &together.charged {
                match charged {
                    Charged::Here(charged) => charged.settle(cost, &*together.clock),
                    Charged::Elsewhere(charged) => charged.settle(cost, &together.clock),
                }
            }
        }
    }
}

impl Charged {
    pub(super) fn here(
        counters: &Arc<Counters>,
        (key, rate, cost): (Key, Rate, u32),
        receipt: Receipt,
    ) -> Self {
        Self::Here(ChargedHere {
            counters: Arc::clone(counters),
            key,
            rate,
            taken: Mutex::new(vec![Taken { receipt, cost }]),
        })
    }

    pub(super) fn elsewhere(
        limiter: &Arc<SharedLimiter>,
        charge: Charge,
        receipt: Receipt,
    ) -> Self {
        let cost = charge.cost();
        Self::Elsewhere(Arc::new(ChargedElsewhere {
            limiter: Arc::clone(limiter),
            charge,
            cost: AtomicU32::new(cost),
            taken: tokio::sync::Mutex::new(vec![Taken { receipt, cost }]),
        }))
    }
}

impl ChargedHere {
    fn settle(&self, cost: u32, clock: &dyn Clock) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match missing(&taken, cost) {
            Some(cost) => {
                let receipt = self.tally(cost).take(clock);
                taken.push(Taken { receipt, cost });
            }
            None => {
                while let Some(back) = last_beyond(&mut taken, cost) {
                    self.tally(back.cost).give_back(back.receipt, clock);
                }
            }
        }
    }

    fn tally(&self, cost: u32) -> Tally<'_> {
        Tally {
            counters: &self.counters,
            lineage: Lineage::NONE,
            key: self.key,
            rate: self.rate,
            cost,
            refuses: true,
        }
    }
}

impl ChargedElsewhere {
    /// In the background: nobody waits for it, and where there is no answer what was charged
    /// stands.
    fn settle(self: &Arc<Self>, cost: u32, clock: &Arc<dyn Clock>) {
        self.cost.store(cost, Ordering::Relaxed);
        // A handler may settle on a thread of its own. Where no runtime can ask the limiter, what
        // was charged stands.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (charged, clock) = (Arc::clone(self), Arc::clone(clock));
        runtime.spawn(async move {
            if let Err(error) = charged.correct(&clock).await {
                charged.limiter.failed(&error, &*clock);
            }
        });
    }

    /// Whoever comes last corrects to what was said last, in whatever order the tasks run.
    async fn correct(&self, clock: &Arc<dyn Clock>) -> Result<(), LimiterError> {
        // Held while the limiter is asked, so that corrections come one after another: a receipt
        // has to be there before anything can be given back under it.
        let mut taken = self.taken.lock().await;
        // Read under the lock: of several corrections that wait, the first one settles what was
        // said last, and the others find nothing to do.
        let cost = self.cost.load(Ordering::Relaxed);
        let limiter = self.limiter.limiter();
        if let Some(cost) = missing(&taken, cost) {
            let receipt = answer(limiter.take(&self.charge.costing(cost), clock)).await?;
            taken.push(Taken { receipt, cost });
            return Ok(());
        }
        while let Some(back) = last_beyond(&mut taken, cost) {
            // It is off the list before the limiter is asked. Where the answer is lost it is not
            // given back a second time, which would forgive other requests.
            let charge = self.charge.costing(back.cost);
            answer(limiter.give_back(&charge, back.receipt, clock)).await?;
        }
        Ok(())
    }
}

async fn answer<T>(answer: LimiterAnswer<T>) -> Result<T, LimiterError> {
    match answer {
        LimiterAnswer::Ready(answer) => answer,
        LimiterAnswer::Pending(answer) => answer.await,
    }
}

/// What that cost is beyond all that was taken.
fn missing(taken: &[Taken], cost: u32) -> Option<u32> {
    let more = cost.saturating_sub(total(taken));
    (more > 0).then_some(more)
}

/// Removes as much of what was taken last as is beyond that cost. Each part is given back under the
/// receipt that it was entered under.
fn last_beyond(taken: &mut Vec<Taken>, cost: u32) -> Option<Taken> {
    let beyond = total(taken).saturating_sub(cost);
    if beyond == 0 {
        return None;
    }
    let last = taken.last_mut()?;
    let back = Taken {
        receipt: last.receipt,
        cost: beyond.min(last.cost),
    };
    last.cost -= back.cost;
    if last.cost == 0 {
        taken.pop();
    }
    Some(back)
}

fn total(taken: &[Taken]) -> u32 {
    taken
        .iter()
        .fold(0, |sum, taken| taken.cost.saturating_add(sum))
}

impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settlement").finish_non_exhaustive()
    }
}
