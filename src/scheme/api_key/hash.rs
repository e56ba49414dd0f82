use crate::sha256::sha256;
use crate::store::{DJANGO, KeyDigest, SHA512};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};
use std::sync::Arc;

/// How a key becomes what it is found by.
#[cfg_attr(
    not(feature = "django-hashes"),
    allow(dead_code, reason = "no key is hashed as a password then")
)]
#[derive(Clone)]
pub(super) enum Hash {
    Sha256,
    /// The name of the algorithm, and the key schedule of the pepper.
    HmacSha256(Arc<Box<str>>, Hmac<Sha256>),
    /// Of keys that another system made; no new key gets it.
    Sha512(Arc<Box<str>>),
    /// Of keys that Django hashed as passwords: they are found by their prefix.
    Password(Arc<Box<str>>),
}

impl Hash {
    pub(super) fn sha512() -> Self {
        Self::Sha512(Arc::new(SHA512.into()))
    }

    #[cfg_attr(
        not(feature = "django-hashes"),
        allow(dead_code, reason = "no key is hashed as a password then")
    )]
    pub(super) fn password() -> Self {
        Self::Password(Arc::new(DJANGO.into()))
    }

    pub(super) fn algorithm(&self) -> &str {
        match self {
            Self::Sha256 => "sha256",
            Self::HmacSha256(algorithm, _)
            | Self::Sha512(algorithm)
            | Self::Password(algorithm) => algorithm,
        }
    }

    pub(super) fn digest(&self, key: &[u8]) -> KeyDigest {
        match self {
            Self::Sha256 => KeyDigest::of(None, sha256(key)),
            Self::HmacSha256(algorithm, schedule) => {
                let mac = schedule.clone().chain_update(key).finalize();
                KeyDigest::of(Some(Arc::clone(algorithm)), mac.into_bytes().into())
            }
            Self::Sha512(algorithm) => {
                let mut first = [0; 32];
                // The first half is enough to tell keys apart, and fits where all digests do.
                first.copy_from_slice(&Sha512::digest(key)[..32]);
                KeyDigest::of(Some(Arc::clone(algorithm)), first)
            }
            Self::Password(algorithm) => {
                // Such a hash is salted, so a key cannot be found by it. What stands before the dot
                // names the record, and is no secret.
                let end = key.iter().position(|b| *b == b'.').unwrap_or(key.len());
                KeyDigest::of(Some(Arc::clone(algorithm)), sha256(&key[..end]))
            }
        }
    }
}
