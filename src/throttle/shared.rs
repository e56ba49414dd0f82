use super::limiter::{Charge, Limiter, LimiterAnswer, LimiterError, Standing};
use crate::clock::{Clock, nanos};
use crate::event::limiter_failed;
use crate::store::caught_future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long an outage lasts until the log hears of it again, in nanoseconds.
const TOLD_EVERY: u64 = 60 * 1_000_000_000;

/// A limiter that may have to ask somebody, and may fail: one that nodes share, or one of the
/// application's own.
#[derive(Debug)]
pub(crate) struct SharedLimiter {
    limiter: Box<dyn Limiter>,
    /// Steady.
    told_again_at: AtomicU64,
}

impl SharedLimiter {
    pub(crate) fn new(limiter: Box<dyn Limiter>) -> Self {
        Self {
            limiter,
            told_again_at: AtomicU64::new(0),
        }
    }

    pub(super) fn limiter(&self) -> &dyn Limiter {
        &*self.limiter
    }

    /// Asks. A panic is no answer.
    pub(super) fn count(
        &self,
        charges: &[Charge],
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<Vec<Standing>> {
        match catch_unwind(AssertUnwindSafe(|| self.limiter.count(charges, clock))) {
            Ok(answer) => answer,
            Err(_) => Err(LimiterError::new("it panicked")).into(),
        }
    }

    /// Tells the log of an outage, but not of every request that meets it.
    pub(super) fn failed(&self, error: &LimiterError, clock: &dyn Clock) {
        let now = nanos(clock.steady());
        let told_again_at = self.told_again_at.load(Ordering::Relaxed);
        if now < told_again_at {
            return;
        }
        // Of all requests that meet the outage at once, only the one that moves the time on tells
        // of it.
        let next = now.saturating_add(TOLD_EVERY);
        let moved = self.told_again_at.compare_exchange(
            told_again_at,
            next,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if moved.is_ok() {
            limiter_failed(error);
        }
    }
}

/// The answer, once it is there: about each of so many charges.
pub(super) async fn answered(
    answer: impl Future<Output = Result<Vec<Standing>, LimiterError>>,
    charges: usize,
) -> Result<Vec<Standing>, LimiterError> {
    match caught_future(answer).await {
        Ok(answer) => checked(answer, charges),
        Err(_) => Err(LimiterError::new("it panicked")),
    }
}

/// An answer about other charges than were asked about is none.
pub(super) fn checked(
    answer: Result<Vec<Standing>, LimiterError>,
    charges: usize,
) -> Result<Vec<Standing>, LimiterError> {
    let standings = answer?;
    if standings.len() == charges {
        Ok(standings)
    } else {
        Err(LimiterError::new(
            "it answered about another number of rules",
        ))
    }
}
