use crate::digest_hasher::DigestHasher;
use crate::random;
use crate::secret::Secret;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use sha2::{Digest as _, Sha256};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a verified password is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// How many are: a digest, a hash and an entry's overhead each, some 250 bytes.
const REMEMBERED: usize = 10_000;

/// Passwords that were verified lately, as digests under a random key of this process.
pub(crate) struct Remembered {
    /// A hash that has taken in a block of secret bytes; `None` where the system had no randomness
    /// for them: then nothing is remembered.
    ///
    /// HMAC has a second hash around this, lest somebody who sees a digest make that of a longer
    /// text of it. Nobody sees these.
    keyed: Option<Sha256>,
    verified: Cache<Digest, Arc<Entry>, UnitWeighter, BuildHasherDefault<DigestHasher>>,
}

type Digest = [u8; 32];

/// What a name and a password were verified against, and when that is remembered.
struct Entry {
    hash: Secret<String>,
    since: SystemTime,
    until: SystemTime,
}

/// A name, a password, and the hash that the store has of it.
#[derive(Clone, Copy)]
pub(crate) struct Verified<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a str,
    pub(crate) hash: &'a Secret<String>,
}

impl Remembered {
    pub(crate) fn new() -> Self {
        let mut block = zeroize::Zeroizing::new([0; 64]);
        let keyed = match random::fill(&mut *block) {
            Ok(()) => Some(Sha256::new_with_prefix(block.as_slice())),
            Err(_) => None,
        };
        Self {
            keyed,
            // The digest serves as its own hash: nobody knows the key, so nobody can choose digests
            // that meet.
            verified: Cache::with(
                REMEMBERED,
                REMEMBERED as u64,
                UnitWeighter,
                BuildHasherDefault::default(),
                DefaultLifecycle::default(),
            ),
        }
    }

    /// Whether exactly this was verified within the last minute, against exactly this hash.
    pub(crate) fn holds(&self, verified: Verified<'_>, now: SystemTime) -> bool {
        let Some(entry) = self
            .digest(verified)
            .and_then(|digest| self.verified.get(&digest))
        else {
            return false;
        };
        // A clock that was set back makes nothing remembered for longer.
        let is_lately = entry.since <= now && now < entry.until;
        // Both hashes are the store's: nobody who waits for an answer has chosen either, so the
        // time that this takes tells nothing.
        is_lately && entry.hash.expose() == verified.hash.expose()
    }

    pub(crate) fn remember(&self, verified: Verified<'_>, now: SystemTime) {
        if let Some(digest) = self.digest(verified)
            && let Some(until) = now.checked_add(REMEMBERED_FOR)
        {
            let hash = verified.hash.clone();
            let since = now;
            self.verified
                .insert(digest, Arc::new(Entry { hash, since, until }));
        }
    }

    /// The name is preceded by its length, lest two different pairs read the same.
    fn digest(&self, verified: Verified<'_>) -> Option<Digest> {
        let mut hash = self.keyed.clone()?;
        // `anna` with the password `bc` and `annab` with `c` would else have one digest.
        hash.update((verified.name.len() as u64).to_le_bytes());
        hash.update(verified.name.as_bytes());
        hash.update(verified.password.as_bytes());
        Some(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn exactly_what_was_verified_is_remembered_for_a_minute() {
        let [hash, other] = ["$argon2id$one", "$argon2id$two"].map(|hash| Secret::new(hash.into()));
        let verified = |name, password| Verified {
            name,
            password,
            hash: &hash,
        };
        let anna = verified("anna", "secret");
        let remembered = Remembered::new();
        remembered.remember(anna, UNIX_EPOCH);
        assert!(remembered.holds(anna, UNIX_EPOCH + REMEMBERED_FOR - Duration::from_nanos(1)));
        assert!(!remembered.holds(anna, UNIX_EPOCH + REMEMBERED_FOR));
        for another in [
            verified("anna", "secre"),
            verified("anna", "secrets"),
            verified("ann", "asecret"),
            verified("annas", "ecret"),
            verified("Anna", "secret"),
            // The password was changed, and perhaps changed back.
            Verified {
                hash: &other,
                ..anna
            },
        ] {
            assert!(!remembered.holds(another, UNIX_EPOCH));
        }
        assert!(!Remembered::new().holds(anna, UNIX_EPOCH));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_remembered_for_longer() {
        let hash = Secret::new("$argon2id$one".into());
        let anna = Verified {
            name: "anna",
            password: "secret",
            hash: &hash,
        };
        let remembered = Remembered::new();
        let later = UNIX_EPOCH + REMEMBERED_FOR;
        remembered.remember(anna, later);
        assert!(remembered.holds(anna, later));
        assert!(!remembered.holds(anna, later - Duration::from_nanos(1)));
    }
}
