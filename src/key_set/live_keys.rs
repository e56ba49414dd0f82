use super::key_source::{KeySource, Loaded};
use super::key_source_error::KeySourceError;
use super::live_limits::LiveLimits;
use super::set::KeySet;
use crate::clock::{nanos, since_1970};
use crate::event::keys_not_loaded;
use crate::metrics::{Callee, Gauge, Meter, Outcome};
use crate::reject::Rejection;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long one load may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Keys that nobody used for this long after they ceased to be fresh are loaded before they are
/// used: what serves meanwhile is never older than the last request.
const OVERDUE_AFTER: Duration = Duration::from_secs(60);

/// With no keys at all nothing can be served, so that the source is asked more often.
const LONGEST_WAIT_WITHOUT_KEYS: Duration = Duration::from_secs(30);

/// The clocks of two requests may differ by this much; what is further back was set back.
const SKEW: Duration = Duration::from_secs(60);

/// A key set that is loaded from a source, refreshed, and held while the source fails.
///
/// ```text
///  loaded        refresh due        overdue                                    max_age
///    │ fresh: served │ served, and      │ loaded first; where that fails, served  │ 503
///    │               │ loaded meanwhile │ until max_age, tried again after a wait │
/// ```
///
/// - One load is under way at a time, in a task of its own: whoever waits joins it, and nobody who
///   goes away ends it. No lock is held over it.
/// - A token that names an unknown key may have the set loaded at once, though not twice within the
///   cooldown, which is claimed before the load and whatever comes of it, and not during the wait
///   after a load that failed. Meanwhile nobody knows whether its key is one of the issuer's: 503.
/// - A load replaces the set as a whole, so that keys which were taken out are gone.
/// - Times are those of the realm's clock, which may be set back: then the set is loaded anew.
pub(crate) struct LiveKeys {
    source: Arc<dyn KeySource>,
    limits: LiveLimits,
    /// The number of the set that is held; 0 while there is none.
    generation: AtomicU64,
    /// From when to when that set may be used without a look at the state, in nanoseconds since
    /// 1970. A request that is served from memory reads these three and nothing else.
    good_from: AtomicU64,
    good_until: AtomicU64,
    state: Mutex<State>,
    /// That of the first realm that uses them.
    meter: OnceLock<Meter>,
}

/// Times are in nanoseconds since 1970.
#[derive(Default)]
struct State {
    held: Option<Arc<KeySet>>,
    /// The load that is under way.
    load: Option<watch::Receiver<()>>,
    /// When the last load began.
    began: u64,
    /// When the last load for an unknown key began.
    asked: Option<u64>,
    /// When the next load is due.
    refresh_at: u64,
    /// When the set that is held has served for too long.
    held_until: u64,
    /// How many loads failed since one succeeded, and why the last one did.
    failures: u32,
    error: Option<Arc<KeySourceError>>,
}

impl LiveKeys {
    pub(crate) fn new(source: Arc<dyn KeySource>, limits: LiveLimits) -> Arc<Self> {
        Arc::new(Self {
            source,
            limits,
            generation: AtomicU64::new(0),
            good_from: AtomicU64::new(0),
            good_until: AtomicU64::new(0),
            state: Mutex::default(),
            meter: OnceLock::new(),
        })
    }

    /// Has a meter show how many keys are held, and how long loads take.
    pub(crate) fn measure_by(self: &Arc<Self>, meter: &Meter) {
        // The meter may outlive the keys, and must not keep them and their source alive.
        if self.meter.set(meter.clone()).is_err() {
            return;
        }
        let keys = Arc::downgrade(self);
        let gauge = Gauge::IssuerKeys(self.source.name().into());
        meter.read_off(gauge, move || match keys.upgrade()?.current() {
            Some((_, keys)) => Some(keys.len() as f64),
            None => Some(0.0),
        });
    }

    /// The number of the set that may be used now without waiting, where there is one. A load that
    /// is due begins.
    #[inline]
    pub(crate) fn generation(self: &Arc<Self>, now: SystemTime) -> Option<u64> {
        let generation = self.generation.load(Ordering::Acquire);
        let at = instant(now);
        // Read without the lock, so the number and the times may be of two sets that follow one
        // another. Either set was good when the request came.
        let is_good = self.good_from.load(Ordering::Relaxed) <= at
            && at < self.good_until.load(Ordering::Relaxed);
        if generation != 0 && is_good {
            return Some(generation);
        }
        self.generation_if_held(now)
    }

    #[cold]
    fn generation_if_held(self: &Arc<Self>, now: SystemTime) -> Option<u64> {
        let state = self.state();
        let at = instant(now);
        if !state.serves(at) || state.is_overdue(at) {
            return None;
        }
        let generation = self.generation.load(Ordering::Acquire);
        if state.is_due(at) {
            self.join_load(state, now);
        }
        Some(generation)
    }

    /// The set that is held, of whatever age, and its number.
    pub(crate) fn current(&self) -> Option<(u64, Arc<KeySet>)> {
        self.numbered(&self.state())
    }

    /// The set and its number. Waits for the first load, and for one that is overdue.
    pub(crate) async fn usable(
        self: &Arc<Self>,
        now: SystemTime,
    ) -> Result<(u64, Arc<KeySet>), Rejection> {
        let at = instant(now);
        let load = {
            // Locked within this block: no lock is held over the await below.
            let state = self.state();
            let serves = state.serves(at);
            let must_wait = state.is_due(at) && (!serves || state.is_overdue(at));
            if serves && !must_wait {
                let usable = self.numbered(&state);
                if state.is_due(at) {
                    self.join_load(state, now);
                }
                return usable.ok_or_else(no_keys);
            }
            if !must_wait && state.load.is_none() {
                return Err(state.unavailable(at));
            }
            self.join_load(state, now)
        };
        ended(load).await;
        self.served(at)
    }

    /// For a token that names a key which the set `than` does not have: the newest set, loaded now
    /// if the cooldown allows it. Refused where the last load failed.
    pub(crate) fn newer(
        self: &Arc<Self>,
        than: u64,
        now: SystemTime,
    ) -> impl Future<Output = Result<(u64, Arc<KeySet>), Rejection>> + Send + 'static {
        let at = instant(now);
        let mut state = self.state();
        let load = if self.generation.load(Ordering::Acquire) > than {
            None
        // A load that is under way is joined, and the cooldown is left for the next unknown key.
        } else if state.load.is_some() {
            state.load.clone()
        } else if state.may_ask(at, nanos(self.limits.cooldown)) {
            // Claimed before the load and whatever comes of it. Were it claimed by an answer,
            // forged tokens could have a source that fails asked again and again.
            state.asked = Some(at);
            self.join_load(state, now)
        } else {
            None
        };
        let keys = Arc::clone(self);
        async move {
            ended(load).await;
            keys.newest(than, at)
        }
    }

    /// Waits until there are keys.
    pub(crate) async fn ready(self: &Arc<Self>, now: SystemTime) -> Result<(), Rejection> {
        self.usable(now).await.map(drop)
    }

    /// Held for changes in memory alone. A panic leaves no half of one: each field is good by
    /// itself.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn numbered(&self, state: &State) -> Option<(u64, Arc<KeySet>)> {
        let held = state.held.as_ref()?;
        Some((self.generation.load(Ordering::Acquire), Arc::clone(held)))
    }

    fn served(&self, at: u64) -> Result<(u64, Arc<KeySet>), Rejection> {
        let state = self.state();
        let usable = self.numbered(&state).filter(|_| state.serves(at));
        usable.ok_or_else(|| state.unavailable(at))
    }

    /// As it is served. Not where there is no newer one because the load failed: whether the
    /// token's key is one of the issuer's is not known then.
    fn newest(&self, than: u64, at: u64) -> Result<(u64, Arc<KeySet>), Rejection> {
        let (generation, set) = self.served(at)?;
        let state = self.state();
        if generation <= than && state.failures > 0 {
            return Err(state.unavailable(at));
        }
        Ok((generation, set))
    }

    /// The load that is under way, or one that begins now. `None` outside of a runtime.
    fn join_load(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        now: SystemTime,
    ) -> Option<watch::Receiver<()>> {
        if let Some(load) = &state.load {
            return Some(load.clone());
        }
        let runtime = Handle::try_current().ok()?;
        let (done, load) = watch::channel(());
        let at = instant(now);
        state.load = Some(load.clone());
        state.began = at;
        if state.serves(at) && !state.is_overdue(at) {
            // While it is under way, other requests need not look at the state.
            let until = at.saturating_add(nanos(DEADLINE)).min(state.held_until);
            self.set_good(at, until);
        }
        // Unlocked before the task is spawned: a runtime that is ending drops it here and now, and
        // `Load::drop` takes the lock.
        drop(state);
        let load_task = Load {
            keys: Arc::clone(self),
            now,
            is_settled: false,
            _waited_for: done,
        };
        runtime.spawn(load_task.run());
        Some(load)
    }

    fn set_good(&self, loaded: u64, until: u64) {
        let from = loaded.saturating_sub(nanos(SKEW));
        self.good_from.store(from, Ordering::Relaxed);
        self.good_until.store(until, Ordering::Relaxed);
    }

    fn settle(&self, at: u64, loaded: Result<Loaded, KeySourceError>) {
        let mut state = self.state();
        state.load = None;
        match self.checked(&state, loaded) {
            Ok(loaded) => self.succeed(&mut state, at, loaded),
            Err(error) => self.fail(&mut state, at, error),
        }
        let until = state.refresh_at.min(state.held_until);
        self.set_good(at, until);
    }

    fn checked(
        &self,
        state: &State,
        loaded: Result<Loaded, KeySourceError>,
    ) -> Result<Loaded, KeySourceError> {
        let loaded = loaded?;
        match &loaded.keys {
            // An empty set is an error, so that the set that is held goes on serving. Taken over,
            // it would refuse every token.
            Some(keys) if keys.is_empty() => Err(KeySourceError::new("it has no key")),
            None if state.held.is_none() => Err(KeySourceError::new(
                "it has not changed, though none is held",
            )),
            _ => Ok(loaded),
        }
    }

    fn succeed(&self, state: &mut State, at: u64, loaded: Loaded) {
        let fresh_for = self.limits.fresh_for(loaded.fresh_for);
        state.refresh_at = at.saturating_add(nanos(fresh_for));
        state.held_until = at.saturating_add(nanos(self.limits.max_age));
        state.failures = 0;
        state.error = None;
        if let Some(keys) = loaded.keys {
            state.held = Some(Arc::new(keys));
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    fn fail(&self, state: &mut State, at: u64, error: KeySourceError) {
        keys_not_loaded(self.source.name(), &error);
        state.failures = state.failures.saturating_add(1);
        state.error = Some(Arc::new(error));
        // Where the clock was set back, the end lies too far ahead. It is brought back, lest old
        // keys serve for longer than the maximum age.
        let latest = at.saturating_add(nanos(self.limits.max_age));
        state.held_until = state.held_until.min(latest);
        let wait = self.limits.back_off(state.failures);
        let soon = at.saturating_add(nanos(wait.min(LONGEST_WAIT_WITHOUT_KEYS)));
        let later = at.saturating_add(nanos(wait));
        // Tried again at the latest when the keys become too old, because nothing is served from
        // then on; but after a wait in any case, lest a source that is down be asked all the time.
        state.refresh_at = later.min(state.held_until.max(soon));
    }
}

impl State {
    /// Whether a set is held that is not too old.
    fn serves(&self, at: u64) -> bool {
        self.held.is_some() && at < self.held_until
    }

    fn is_due(&self, at: u64) -> bool {
        at >= self.refresh_at || at.saturating_add(nanos(SKEW)) < self.began
    }

    /// Whether a token that names an unknown key may have the keys loaded.
    fn may_ask(&self, at: u64, cooldown: u64) -> bool {
        // After a load that failed nobody asks before the next one is due.
        if self.failures > 0 && !self.is_due(at) {
            return false;
        }
        match self.asked {
            // The difference counts in either direction: where the clock was set back, the cooldown
            // must not last until it has caught up.
            Some(asked) => asked.abs_diff(at) >= cooldown,
            None => true,
        }
    }

    fn is_overdue(&self, at: u64) -> bool {
        at >= self.refresh_at.saturating_add(nanos(OVERDUE_AFTER))
    }

    fn unavailable(&self, at: u64) -> Rejection {
        let wait = Duration::from_nanos(self.refresh_at.saturating_sub(at));
        match &self.error {
            Some(error) => Rejection::unavailable_for("keys", Arc::clone(error), wait),
            None => no_keys(),
        }
    }
}

fn no_keys() -> Rejection {
    Rejection::unavailable("keys", "the keys of the issuer were never loaded")
}

fn instant(now: SystemTime) -> u64 {
    nanos(since_1970(now))
}

/// A load that ends without a word has ended as well.
async fn ended(load: Option<watch::Receiver<()>>) {
    if let Some(mut load) = load {
        let _ = load.changed().await;
    }
}

/// The task that loads. Should it panic or be dropped, that is a load that failed.
struct Load {
    keys: Arc<LiveKeys>,
    now: SystemTime,
    is_settled: bool,
    /// Dropped last, when what came of it can be read.
    _waited_for: watch::Sender<()>,
}

impl Load {
    async fn run(mut self) {
        let meter = self.keys.meter.get().cloned().unwrap_or_default();
        let started = meter.started();
        let loaded = timeout(DEADLINE, self.keys.source.load(self.now)).await;
        let (outcome, loaded) = match loaded {
            Ok(Ok(loaded)) => (Outcome::Answered, Ok(loaded)),
            Ok(Err(error)) => (Outcome::Failed, Err(error)),
            Err(late) => {
                let error = KeySourceError::because("it did not answer in time", late);
                (Outcome::Late, Err(error))
            }
        };
        meter.called(Callee::Issuer, started, outcome);
        self.is_settled = true;
        // As of the time when the load began: what the source said may be as old as that.
        self.keys.settle(instant(self.now), loaded);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if !self.is_settled {
            let error = KeySourceError::new("the load panicked, or its runtime ended");
            self.keys.settle(instant(self.now), Err(error));
        }
    }
}

impl fmt::Debug for LiveKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveKeys")
            .field("source", &self.source.name())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
