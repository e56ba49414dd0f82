use crate::clock::unix_seconds;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// A use is told again after so long, in seconds.
const TOLD_EVERY: u64 = 24 * 60 * 60;
/// Of so many keys it is remembered which uses were told; beyond that they are told again.
const MOST_KEYS: usize = 100_000;

/// Which keys used which scopes lately, so that each is told once a day.
#[derive(Default)]
pub(super) struct ScopeUses(
    // Held for a look-up in memory, and only by keys that pass a requirement of a realm that keeps
    // what happens. A panic leaves no half of a change.
    Mutex<HashMap<Box<str>, Told>>,
);

struct Told {
    day: u64,
    scopes: HashSet<Box<str>>,
}

impl ScopeUses {
    /// Whether that a key used a scope is yet to be told today.
    pub(super) fn is_new(&self, key: &str, scope: &str, now: SystemTime) -> bool {
        let day = unix_seconds(now) / TOLD_EVERY;
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = keys.get_mut(key)
            && told.day == day
        {
            return !told.scopes.contains(scope) && told.scopes.insert(scope.into());
        }
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        let scopes = HashSet::from([scope.into()]);
        keys.insert(key.into(), Told { day, scopes });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn each_use_is_new_once_a_day() {
        let uses = ScopeUses::default();
        let noon = UNIX_EPOCH + Duration::from_secs(43_200);
        assert!(uses.is_new("1", "read", noon));
        assert!(!uses.is_new("1", "read", noon));
        assert!(uses.is_new("1", "write", noon));
        assert!(uses.is_new("2", "read", noon));
        let next_day = noon + Duration::from_secs(TOLD_EVERY);
        assert!(uses.is_new("1", "write", next_day));
        assert!(uses.is_new("1", "read", next_day));
        assert!(!uses.is_new("1", "read", next_day));
    }
}
