use crate::key_set::Signer;
use crate::reject::{Rejection, RejectionKind};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How much later another node may have made a nonce than this one's clock says it is.
const SKEW: Duration = Duration::from_secs(5);

/// Nonces that need no memory (RFC 9449 §9): each is the time at which it was made, signed.
///
/// ```text
/// base64url( seconds since 1970, 8 bytes big-endian ‖ HMAC-SHA-256 of "DPoP-Nonce" ‖ those )
/// ```
pub(super) struct Nonces {
    signer: Signer,
    lifetime: Duration,
}

impl Nonces {
    pub(super) fn new(signer: Signer, lifetime: Duration) -> Self {
        Self { signer, lifetime }
    }

    /// A proof without a nonce that is good now is refused with one that is.
    pub(super) fn check(&self, nonce: Option<&str>, now: Duration) -> Result<(), Rejection> {
        if nonce.is_some_and(|nonce| self.is_good(nonce, now)) {
            return Ok(());
        }
        match self.at(now.as_secs()) {
            Some(nonce) => Err(Rejection::nonce_required(nonce)),
            None => Err(Rejection::new(RejectionKind::Failed, "no nonce")),
        }
    }

    fn is_good(&self, nonce: &str, now: Duration) -> bool {
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(nonce) else {
            return false;
        };
        let Some(seconds) = bytes.first_chunk() else {
            return false;
        };
        let seconds = u64::from_be_bytes(*seconds);
        let made = Duration::from_secs(seconds);
        // Another node's clock may be slightly ahead of this one, so a nonce may seem to come from
        // the future.
        let is_current =
            made <= now.saturating_add(SKEW) && now <= made.saturating_add(self.lifetime);
        let genuine = self.at(seconds);
        is_current
            && genuine.is_some_and(|genuine| genuine.as_bytes().ct_eq(nonce.as_bytes()).into())
    }

    fn at(&self, seconds: u64) -> Option<String> {
        let seconds = seconds.to_be_bytes();
        // What is signed begins with its purpose: should the secret sign something else as well,
        // neither is ever taken for the other.
        let message = [&b"DPoP-Nonce"[..], &seconds].concat();
        let signature = self.signer.signature(&message).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&seconds[..], &signature].concat()))
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
