#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each scheme counts a part of it")
)]

use super::recorder;
use super::tally::Tally;
use super::{Cache, Callee, Gauge, Outcome};
use crate::clock::Clock;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

/// How often the recorder is told.
const EVERY: Duration = Duration::from_secs(1);

/// Counts for the recorder that there is; without one it counts nothing. A clone counts the same.
#[derive(Clone, Default)]
pub(crate) struct Meter(Option<Arc<Measured>>);

/// When something began.
pub(crate) struct Started(Option<Duration>);

struct Measured {
    clock: Arc<dyn Clock>,
    /// Of each cache: how often nothing was found, and how often something.
    lookups: Tally,
    // Both are held while a recorder is told, which is once a second, and for insertions at
    // start-up. Whoever panics in it loses what was to be told.
    reports: Mutex<Vec<Box<Report>>>,
    gauges: Mutex<Vec<(Gauge, Box<Reading>)>>,
    is_reporting: AtomicBool,
}

/// Tells what was counted, and whether there will be more.
type Report = dyn Fn() -> bool + Send + Sync;
/// What a gauge stands at; nothing any more when what it shows is gone.
type Reading = dyn Fn() -> Option<f64> + Send + Sync;

impl Meter {
    /// One for the recorder that is installed now.
    pub(crate) fn of_recorder(clock: &Arc<dyn Clock>) -> Self {
        // A recorder that is installed later gets nothing of this realm: whether one is there is
        // asked once, and not at each request.
        if !recorder::is_installed() {
            return Self(None);
        }
        recorder::describe();
        Self(Some(Arc::new(Measured {
            clock: Arc::clone(clock),
            lookups: Tally::new(2 * Cache::ALL.len()),
            reports: Mutex::default(),
            gauges: Mutex::default(),
            is_reporting: AtomicBool::new(false),
        })))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Something happened, by its name.
    pub(crate) fn happened(&self, action: &'static str) {
        if self.is_on() {
            recorder::happened(action);
        }
    }

    /// A rule has refused a request.
    pub(crate) fn throttled(&self, scope: &str, rule: &str) {
        if self.is_on() {
            recorder::throttled(scope, rule, "refused");
        }
    }

    /// A rule that only observes would have refused one.
    pub(crate) fn would_throttle(&self, scope: &str, rule: &str) {
        if self.is_on() {
            recorder::throttled(scope, rule, "observed");
        }
    }

    /// Memory was asked.
    #[inline]
    pub(crate) fn looked_up(&self, cache: Cache, found: bool) {
        if let Some(measured) = &self.0 {
            measured
                .lookups
                .add(2 * cache as usize + usize::from(found));
        }
    }

    /// Somebody is about to be asked.
    #[inline]
    pub(crate) fn started(&self) -> Started {
        match &self.0 {
            Some(measured) => Started(Some(measured.clock.steady())),
            None => Started(None),
        }
    }

    /// Somebody has answered, or has not.
    #[inline]
    pub(crate) fn called(&self, callee: Callee, started: Started, outcome: Outcome) {
        if let (Some(measured), Some(started)) = (&self.0, started.0) {
            let took = measured.clock.steady().saturating_sub(started);
            recorder::called(callee, outcome, took);
        }
    }

    /// Has a gauge read off once a second. Where several show the same, their sum is told.
    pub(crate) fn read_off(
        &self,
        gauge: Gauge,
        reading: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) {
        if let Some(measured) = &self.0 {
            let gauges = measured.gauges.lock();
            let mut gauges = gauges.unwrap_or_else(PoisonError::into_inner);
            gauges.push((gauge, Box::new(reading)));
        }
    }

    /// Has something told once a second, until it says that it is gone.
    pub(super) fn report_by(&self, report: impl Fn() -> bool + Send + Sync + 'static) {
        if let Some(measured) = &self.0 {
            let reports = measured.reports.lock();
            let mut reports = reports.unwrap_or_else(PoisonError::into_inner);
            reports.push(Box::new(report));
        }
    }

    /// Something was counted that has to be told.
    #[inline]
    pub(super) fn start_reporting(&self) {
        if let Some(measured) = &self.0
            && !measured.is_reporting.load(Ordering::Relaxed)
        {
            measured.spawn_reporter();
        }
    }
}

impl Measured {
    /// Outside of a runtime nothing is told until a request comes inside of one.
    #[cold]
    fn spawn_reporter(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if !self.is_reporting.swap(true, Ordering::Relaxed) {
            // Weak: the task must not keep alive what it reports about.
            runtime.spawn(Reporter(Arc::downgrade(self)).run());
        }
    }

    fn report(&self) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|report| report());
        drop(reports);
        self.lookups.take(|count, times| {
            if let Some(cache) = Cache::ALL.get(count / 2) {
                recorder::looked_up(*cache, count % 2 == 1, times);
            }
        });
        for (gauge, value) in self.read_gauges() {
            recorder::stands_at(gauge, value);
        }
    }

    fn read_gauges(&self) -> BTreeMap<Gauge, f64> {
        let mut sums: BTreeMap<Gauge, f64> = BTreeMap::new();
        let mut gauges = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.retain(|(gauge, reading)| match reading() {
            Some(value) => {
                *sums.entry(gauge.clone()).or_default() += value;
                true
            }
            None => false,
        });
        sums
    }
}

/// The task that tells the recorder, as long as anybody counts. Should its runtime end, the next
/// request starts another.
struct Reporter(Weak<Measured>);

impl Reporter {
    async fn run(self) {
        loop {
            sleep(EVERY).await;
            match self.0.upgrade() {
                Some(measured) => measured.report(),
                None => return,
            }
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        // Not started anew after a panic: the next one would panic as well.
        if let Some(measured) = self.0.upgrade()
            && !std::thread::panicking()
        {
            measured.is_reporting.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // What was counted since the last second would be lost.
        self.report();
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meter").field(&self.is_on()).finish()
    }
}
