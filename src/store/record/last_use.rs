use crate::clock::unix_seconds;
#[cfg(feature = "api-key")]
use crate::rehearsal;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much later a use must be to be noted again: a busy credential costs a write a minute.
#[cfg(feature = "api-key")]
const NOTED_EVERY: u64 = 60;

/// When a credential was last used, to the second.
///
/// It alone of a record changes in place, so that noting a use copies nothing.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_auth::store::LastUse;
///
/// let noon = UNIX_EPOCH + Duration::from_secs(43_200);
/// let last = LastUse::new();
/// assert_eq!(last.get(), None);
/// last.set(noon);
/// last.set(UNIX_EPOCH); // it never goes back
/// assert_eq!(last.get(), Some(noon));
/// ```
#[derive(Default)]
pub struct LastUse(AtomicU64);

impl LastUse {
    /// Never used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// When; `None` is never.
    #[must_use]
    pub fn get(&self) -> Option<SystemTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds != 0).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Takes down a use. A time before one that is known changes nothing.
    pub fn set(&self, at: SystemTime) {
        self.0.fetch_max(unix_seconds(at), Ordering::Relaxed);
    }

    /// Whether this use is to be written: of many at once one is told so, and then none for a
    /// minute.
    #[cfg(feature = "api-key")]
    pub(crate) fn note(&self, now: SystemTime) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = UNIX_EPOCH.checked_add(Duration::from_secs(last.saturating_add(NOTED_EVERY)));
        due.is_some_and(|due| due <= now) && !rehearsal::is_on() && {
            let now = unix_seconds(now);
            self.0
                // Only one of the requests that find the use due exchanges it, and that one writes.
                // The others would write the same minute.
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        }
    }
}

impl From<Option<SystemTime>> for LastUse {
    fn from(at: Option<SystemTime>) -> Self {
        let last = Self::new();
        if let Some(at) = at {
            last.set(at);
        }
        last
    }
}

impl Clone for LastUse {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl PartialEq for LastUse {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for LastUse {}

impl fmt::Debug for LastUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastUse").field(&self.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "api-key")]
    #[test]
    fn a_use_is_noted_once_a_minute_and_never_goes_back() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let last = LastUse::new();
        assert_eq!(last.get(), None);
        assert!(last.note(at(1_000)) && !last.note(at(1_000)) && !last.note(at(1_059)));
        assert!(last.note(at(1_060)));
        assert!(!last.note(at(500)), "a clock that steps back notes nothing");
        last.set(at(900));
        assert_eq!(last.get(), Some(at(1_060)));
    }
}
