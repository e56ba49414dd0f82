use crate::principal::TokenIdentity;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many tokens are remembered, and their bytes, about.
const TOKENS: usize = 10_000;
const BYTES: u64 = 16 << 20;

/// What an entry costs besides its claims.
const ENTRY: u64 = 320;

/// How many tokens are remembered as not active: a flood of made-up ones takes no room from real
/// ones.
const INACTIVE: usize = 4_096;
const INACTIVE_FOR: Duration = Duration::from_secs(2);

/// What the issuer said of tokens lately. Tokens themselves are not kept.
pub(super) struct Answers {
    active: Cache<TokenDigest, Active, Bytes>,
    inactive: Cache<TokenDigest, SystemTime>,
    remembered: Duration,
}

/// SHA-256.
pub(super) type TokenDigest = [u8; 32];

#[derive(Clone)]
struct Active {
    identity: Arc<TokenIdentity>,
    asked: SystemTime,
    until: SystemTime,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<TokenDigest, Active> for Bytes {
    fn weight(&self, _: &TokenDigest, active: &Active) -> u64 {
        ENTRY + active.identity.claims.len() as u64
    }
}

/// What is remembered of a token.
pub(super) enum Answer {
    Active(Arc<TokenIdentity>),
    Inactive,
}

impl Answers {
    pub(super) fn new(remembered: Duration) -> Self {
        Self {
            active: Cache::with_weighter(TOKENS, BYTES, Bytes),
            inactive: Cache::new(INACTIVE),
            remembered,
        }
    }

    pub(super) fn digest(token: &str) -> TokenDigest {
        Sha256::digest(token).into()
    }

    /// What is still believed. A clock that was set back makes nothing believed for longer.
    pub(super) fn find(&self, digest: &TokenDigest, now: SystemTime) -> Option<Answer> {
        if let Some(active) = self.active.get(digest) {
            if active.asked <= now && now < active.until {
                return Some(Answer::Active(active.identity));
            }
            self.active.remove(digest);
        }
        let asked = self.inactive.get(digest)?;
        let since = now.duration_since(asked).ok()?;
        (since < INACTIVE_FOR).then_some(Answer::Inactive)
    }

    /// Believes for a while that a token is active, though never beyond its end.
    pub(super) fn keep(
        &self,
        digest: TokenDigest,
        identity: &Arc<TokenIdentity>,
        end: Option<SystemTime>,
        now: SystemTime,
    ) {
        let Some(latest) = now.checked_add(self.remembered) else {
            return;
        };
        let until = end.map_or(latest, |end| end.min(latest));
        if until > now {
            let identity = Arc::clone(identity);
            let active = Active {
                identity,
                asked: now,
                until,
            };
            self.active.insert(digest, active);
        }
    }

    pub(super) fn keep_inactive(&self, digest: TokenDigest, now: SystemTime) {
        // An active answer would be found first, and the token go on to pass.
        self.active.remove(&digest);
        self.inactive.insert(digest, now);
    }
}
