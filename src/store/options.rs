use crate::clock::{Clock, SystemClock};
use std::sync::Arc;
use std::time::Duration;

/// How long a start may take, which is more than a request: others may be starting as well.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) const START_WITHIN: Duration = Duration::from_secs(30);

/// How a store in a database behaves: how long it remembers, how soon it hears of other nodes, and
/// what holds in an outage.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::store::StoreOptions;
///
/// // Credentials seen lately go on working for half a minute while the database is away.
/// let options = StoreOptions::new().outage(Duration::from_secs(30));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StoreOptions {
    pub(in crate::store) timeout: Duration,
    pub(in crate::store) connections: u32,
    pub(in crate::store) cache_bytes: u64,
    pub(in crate::store) cache_life: Duration,
    pub(in crate::store) lag: Duration,
    pub(in crate::store) outage: Duration,
    pub(in crate::store) keep_ended: Duration,
    pub(in crate::store) purge_every: Duration,
    pub(in crate::store) clock: Arc<dyn Clock>,
    /// Whether a file that is not there is made.
    pub(in crate::store) makes_file: bool,
}

impl StoreOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            connections: 10,
            cache_bytes: 32 << 20,
            cache_life: Duration::from_secs(60),
            lag: Duration::from_secs(1),
            outage: Duration::ZERO,
            keep_ended: Duration::from_secs(7 * 24 * 3_600),
            purge_every: Duration::from_secs(600),
            clock: Arc::new(SystemClock),
            makes_file: true,
        }
    }

    /// An SQLite file has to be there, and is not made where there is none: for programs that look
    /// at what others keep, which a mistyped path should not give an empty store.
    pub fn existing(mut self) -> Self {
        self.makes_file = false;
        self
    }

    /// How long a call may take before it fails, waiting for a connection included. Default 1 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many connections the requests may have at once; at least 1. PostgreSQL has three more
    /// for the store's own tasks. Default 10. A pool of the application's own keeps its size.
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }

    /// How much memory keys, and how much users, may take that were read lately. Default 32 MiB.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How long a record answers without being read again. Changes end it earlier. Default 60 s.
    pub fn cache_life(mut self, life: Duration) -> Self {
        self.cache_life = life;
        self
    }

    /// The longest time after which a node knows what another one revoked or changed. Memory that
    /// heard nothing for so long is not believed, and the database is asked. It is polled four
    /// times as often. At least 20 ms; default 1 s.
    pub fn lag(mut self, bound: Duration) -> Self {
        self.lag = bound.max(Duration::from_millis(20));
        self
    }

    /// How much longer what is in memory is believed while the database cannot be reached. Default
    /// zero: then requests are 503 until it is back.
    ///
    /// Whatever this node knows to be revoked stays refused. What another node revokes while this
    /// one alone is cut off, or revoked immediately before the database went away, can pass for
    /// that long.
    pub fn outage(mut self, time: Duration) -> Self {
        self.outage = time;
        self
    }

    /// How long ended keys, families and tokens are kept, for lists, before housekeeping removes
    /// them. Default 7 days.
    pub fn keep_ended(mut self, time: Duration) -> Self {
        self.keep_ended = time;
        self
    }

    /// How often housekeeping runs, for the first time after so long. Default 10 min.
    pub fn purge_every(mut self, interval: Duration) -> Self {
        self.purge_every = interval;
        self
    }

    /// Where housekeeping has the time from; calls have it from their caller. Default
    /// [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::new()
    }
}
