use super::algorithm::Receipt;
use super::stack::{Stack, Step};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// For handlers of requests whose cost is known afterwards ([`Throttle::settled`](super::Throttle::settled)): it is in the
/// request's extensions.
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
pub struct Settlement(Arc<Inner>);

struct Inner {
    stack: Arc<Stack>,
    /// Held while counters in memory are corrected, so that two calls do not correct the same.
    entries: Mutex<Vec<Entry>>,
}

/// What a request was charged by one rule.
pub(crate) struct Entry {
    pub(super) step: Step,
    pub(super) receipt: Receipt,
    pub(super) charged: u32,
}

impl Settlement {
    pub(super) fn new(stack: Arc<Stack>, entries: Vec<Entry>) -> Self {
        Self(Arc::new(Inner {
            stack,
            entries: Mutex::new(entries),
        }))
    }

    /// What the request cost in the end; a later call corrects an earlier one.
    ///
    /// - More than was charged is charged now, even beyond the limit: the caller waits until it has run off.
    /// - Less is given back, as far as it has not run off.
    pub fn settle(&self, cost: u32) {
        for entry in self
            .0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
        {
            self.0.stack.settle(entry, cost);
            entry.charged = cost;
        }
    }
}

impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settlement").finish_non_exhaustive()
    }
}
