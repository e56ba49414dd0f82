use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// So many failures in a row open it, and for so long.
const FAILURES: u32 = 3;
const OPEN_FOR: u64 = 1_000_000_000;

/// Keeps requests from waiting for a server that does not answer: while it is open one of them,
/// once a second, tries.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: AtomicU32,
    /// 0 is closed.
    open_until: AtomicU64,
}

impl Breaker {
    /// Whether a request may try. `now` is steady.
    pub(super) fn admits(&self, now: u64) -> bool {
        let open_until = self.open_until.load(Ordering::Relaxed);
        if open_until == 0 {
            return true;
        }
        // Of all requests that find the time over, only the one that moves it on may try.
        // At least 1, because 0 means closed.
        let next = now.saturating_add(OPEN_FOR).max(1);
        now >= open_until
            && self
                .open_until
                .compare_exchange(open_until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.open_until.store(0, Ordering::Relaxed);
    }

    /// Whether it is open now.
    pub(super) fn failed(&self, now: u64) -> bool {
        // A trial that fails comes here too, and opens the breaker anew: the count is reset by an
        // answer only.
        let failures = self
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if failures < FAILURES {
            return false;
        }
        let until = now.saturating_add(OPEN_FOR).max(1);
        self.open_until.store(until, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_open_it_and_then_one_request_a_second_tries() {
        let breaker = Breaker::default();
        assert!(!breaker.failed(0) && !breaker.failed(0));
        assert!(breaker.admits(0));
        assert!(breaker.failed(0));
        assert!(!breaker.admits(OPEN_FOR - 1));
        assert!(breaker.admits(OPEN_FOR) && !breaker.admits(OPEN_FOR));
        breaker.failed(OPEN_FOR);
        assert!(breaker.admits(2 * OPEN_FOR));
        breaker.succeeded();
        breaker.failed(2 * OPEN_FOR);
        breaker.failed(2 * OPEN_FOR);
        assert!(breaker.admits(2 * OPEN_FOR), "three again");
    }
}
