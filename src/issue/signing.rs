use super::key_rotation::StoredKeys;
use crate::key_set::{KeyRing, LiveKeys, Signer};
use crate::reject::Rejection;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long others may keep keys that change when the operator says so.
const CACHED_FOR: Duration = Duration::from_secs(5 * 60);

/// When a node that has no key to sign with looks for one again.
const TRIED_AGAIN: Duration = Duration::from_secs(10);

/// Who signs the tokens of one issuer.
#[derive(Debug)]
pub(super) enum Signing {
    /// The operator's own keys.
    Fixed(KeyRing),
    /// Keys that are made by a schedule.
    Rotating {
        stored: Arc<StoredKeys>,
        live: Arc<LiveKeys>,
    },
}

/// The public keys of an issuer.
#[derive(Debug)]
pub(crate) struct Published {
    /// A JWK set (RFC 7517 §5), JSON.
    pub(crate) jwks: Vec<u8>,
    /// How long whoever reads them may keep them.
    #[cfg_attr(
        not(feature = "endpoints"),
        allow(dead_code, reason = "what serves them comes with that feature")
    )]
    pub(crate) cached_for: Duration,
}

impl Signing {
    /// Who signs now. Waits for the first look at the store, and where nobody has looked for long.
    pub(super) async fn signer(&self, now: SystemTime) -> Result<Arc<Signer>, Rejection> {
        match self {
            Self::Fixed(ring) => Ok(Arc::clone(ring.active())),
            Self::Rotating { stored, live } => rotating_signer(stored, live, now).await,
        }
    }

    #[cfg(all(feature = "endpoints", feature = "openapi"))]
    pub(super) fn rotates(&self) -> bool {
        matches!(self, Self::Rotating { .. })
    }

    /// The keys that verify, those that will and those that did.
    pub(super) async fn published(&self, now: SystemTime) -> Result<Published, Rejection> {
        match self {
            Self::Fixed(ring) => Ok(Published {
                jwks: ring.jwks(),
                cached_for: CACHED_FOR,
            }),
            Self::Rotating { stored, live } => {
                // The first request after the start waits for the keys: an empty set would be kept
                // by others for minutes.
                live.usable(now).await?;
                Ok(Published {
                    jwks: stored.jwks(),
                    cached_for: stored.cached_for(),
                })
            }
        }
    }
}

async fn rotating_signer(
    stored: &StoredKeys,
    live: &Arc<LiveKeys>,
    now: SystemTime,
) -> Result<Arc<Signer>, Rejection> {
    // A store that fails is no reason to refuse as long as a key is held whose time it is.
    let mut failed = None;
    let generation = match live.generation(now) {
        Some(generation) => generation,
        None => match live.usable(now).await {
            Ok((generation, _)) => generation,
            Err(unavailable) => {
                failed = Some(unavailable);
                0
            }
        },
    };
    if let Some(signer) = stored.signer(now) {
        return Ok(signer);
    }
    // The time of the last key is over, because its successor could not be made. Another node may
    // have made one, so the store is asked once more.
    if failed.is_none() {
        failed = live.newer(generation, now).await.err();
    }
    match (stored.signer(now), failed) {
        (Some(signer), _) => Ok(signer),
        (None, Some(unavailable)) => Err(unavailable),
        (None, None) => Err(Rejection::unavailable_for(
            "signing keys",
            "the time of the last signing key is over, and none was made",
            TRIED_AGAIN,
        )),
    }
}
