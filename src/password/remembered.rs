use crate::random;
use crate::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use std::time::{Duration, SystemTime};

/// How long a verified password is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// How many are: 40 bytes and an entry's overhead each.
const REMEMBERED: usize = 10_000;

/// Passwords that were verified lately, as digests under a random key of this process.
pub(crate) struct Remembered {
    /// `None` where the system had no randomness for a key: then nothing is remembered.
    key: Option<Hmac<Sha256>>,
    until: Cache<[u8; 32], SystemTime>,
}

/// A name, a password, and the hash that the store has of it.
#[derive(Clone, Copy)]
pub(crate) struct Verified<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a Secret<String>,
    pub(crate) hash: &'a Secret<String>,
}

impl Remembered {
    pub(crate) fn new() -> Self {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        let filled = random::fill(&mut *key);
        Self {
            key: filled.ok().and_then(|()| Hmac::new_from_slice(&*key).ok()),
            until: Cache::new(REMEMBERED),
        }
    }

    /// Whether exactly this was verified within the last minute.
    pub(crate) fn holds(&self, verified: Verified<'_>, now: SystemTime) -> bool {
        let Some(digest) = self.digest(verified) else {
            return false;
        };
        self.until.get(&digest).is_some_and(|until| now < until)
    }

    pub(crate) fn remember(&self, verified: Verified<'_>, now: SystemTime) {
        if let Some(digest) = self.digest(verified)
            && let Some(until) = now.checked_add(REMEMBERED_FOR)
        {
            self.until.insert(digest, until);
        }
    }

    /// Each part is preceded by its length, lest two different triples read the same.
    fn digest(&self, verified: Verified<'_>) -> Option<[u8; 32]> {
        let mut mac = self.key.clone()?;
        let password = verified.password.expose();
        for part in [verified.name, password, verified.hash.expose()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac.finalize().into_bytes().into())
    }
}
