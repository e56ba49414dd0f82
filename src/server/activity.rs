use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a client may take nothing of what is written to it.
const STALLS_FOR: Duration = Duration::from_secs(30);

/// Whether requests of a connection are under way, since when none is, and whether its client takes
/// what is written.
pub(super) struct Activity(Mutex<Latest>);

struct Latest {
    under_way: usize,
    since: Instant,
    /// Since when a write waits for the client; `None` where none does.
    stalled: Option<Instant>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Latest {
            under_way: 0,
            since: Instant::now(),
            stalled: None,
        }))
    }

    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.latest().under_way += 1;
        UnderWay(Arc::clone(self))
    }

    /// Notes that what is written waits from now on, because the client takes nothing.
    pub(super) fn stall(&self) {
        self.latest().stalled = Some(Instant::now());
    }

    /// Notes that the client takes again what is written.
    pub(super) fn resume(&self) {
        let mut latest = self.latest();
        latest.stalled = None;
        latest.since = Instant::now();
    }

    /// Returns once no request has been under way and nothing was to be written for so long, a head
    /// that does not come being none; or once the client has taken nothing for too long.
    pub(super) async fn idle(&self, most: Duration) {
        while let Some(left) = self.left(most) {
            // A write may stall meanwhile, and the end is then an earlier one.
            sleep(left.min(STALLS_FOR)).await;
        }
    }

    /// For how long the connection may stay as it is; `None` when that is over.
    fn left(&self, most: Duration) -> Option<Duration> {
        let latest = self.latest();
        let left = match (latest.stalled, latest.under_way) {
            (Some(stalled), _) => STALLS_FOR.checked_sub(stalled.elapsed()),
            (None, 0) => most.checked_sub(latest.since.elapsed()),
            // While one is under way the connection cannot become idle before it has ended and this
            // time has passed, so nobody looks earlier.
            (None, _) => return Some(most),
        };
        left.filter(|left| !left.is_zero())
    }

    // Held for a look or a change, never over an await.
    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way, until its answer is handed over or given up.
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut latest = self.0.latest();
        latest.under_way = latest.under_way.saturating_sub(1);
        latest.since = Instant::now();
    }
}
