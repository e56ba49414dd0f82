use crate::clock::unix_seconds;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::fmt;
use std::time::SystemTime;

/// A use is told again after so long, in seconds.
const TOLD_EVERY: u64 = 24 * 60 * 60;
/// Of so many uses it is remembered that they were told; others are told again.
const REMEMBERED: usize = 100_000;

/// Which keys used which scopes lately, so that each use is told once a day. Each has the day on
/// which it was told last.
pub(super) struct ScopeUses(Cache<Use, u64>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Use {
    key: Box<str>,
    scope: Box<str>,
}

/// Both hash as one text after the other, so that a look-up copies neither.
impl Equivalent<Use> for (&str, &str) {
    fn equivalent(&self, other: &Use) -> bool {
        *self.0 == *other.key && *self.1 == *other.scope
    }
}

impl ScopeUses {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }

    /// Whether that a key used a scope is yet to be told today. Of two requests at once both may be
    /// told so.
    pub(super) fn is_new(&self, key: &str, scope: &str, now: SystemTime) -> bool {
        let today = unix_seconds(now) / TOLD_EVERY;
        if self.0.get(&(key, scope)) == Some(today) {
            return false;
        }
        let told = Use {
            key: key.into(),
            scope: scope.into(),
        };
        self.0.insert(told, today);
        true
    }
}

impl fmt::Debug for ScopeUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopeUses").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn each_use_is_new_once_a_day() {
        let uses = ScopeUses::new();
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
