//! Rows: what stores keep. None of them holds anything that could be presented.

mod family;
mod key;
mod token;
mod user;

pub use family::{FamilyRecord, Rotated, Rotation};
#[cfg(feature = "api-key")]
pub(crate) use key::SHA512;
pub use key::{KeyDigest, KeyRecord};
pub use token::{TokenIds, TokenRecord};
pub use user::{UserChange, UserRecord};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much later a use must be to be noted again: a busy credential costs a write a minute.
#[cfg(feature = "api-key")]
const NOTED_EVERY: u64 = 60;

/// When a credential was last used, to the second.
///
/// It alone of a record changes in place, so that noting a use copies nothing.
#[derive(Debug, Default)]
pub(super) struct LastUse(AtomicU64);

impl LastUse {
    /// Whether this use is to be written: of many at once one is told so, and then none for a minute.
    #[cfg(feature = "api-key")]
    pub(super) fn note(&self, now: SystemTime) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = UNIX_EPOCH.checked_add(Duration::from_secs(last.saturating_add(NOTED_EVERY)));
        due.is_some_and(|due| due <= now) && {
            let now = crate::clock::unix_seconds(now);
            self.0
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        }
    }

    /// A use that a store knows of. It never goes back.
    pub(super) fn set(&self, at: SystemTime) {
        self.0
            .fetch_max(crate::clock::unix_seconds(at), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<SystemTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds != 0).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "api-key")]
    #[test]
    fn a_use_is_noted_once_a_minute_and_never_goes_back() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let last = LastUse::default();
        assert_eq!(last.get(), None);
        assert!(last.note(at(1_000)) && !last.note(at(1_000)) && !last.note(at(1_059)));
        assert!(last.note(at(1_060)));
        assert!(!last.note(at(500)), "a clock that steps back notes nothing");
        last.set(at(900));
        assert_eq!(last.get(), Some(at(1_060)));
    }
}
