//! Shared secrets, checked when they are loaded: to verify with, and to sign with.

use super::algorithm::JwtAlgorithm;
use crate::config::ConfigProblem;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use std::collections::HashSet;

/// A secret for one algorithm. The key schedule is kept: it is half the work of a short message.
pub(super) enum SecretKey {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
}

impl SecretKey {
    pub(super) fn new(algorithm: JwtAlgorithm, secret: &[u8]) -> Result<Self, ConfigProblem> {
        let least = algorithm.hash_length();
        let short = ConfigProblem::ShortSecret {
            algorithm: algorithm.name(),
            least,
        };
        if secret.len() < least {
            return Err(short);
        }
        if is_guessable(secret) {
            return Err(ConfigProblem::WeakSecret(algorithm.name()));
        }
        Self::keyed(algorithm, secret).ok_or(short)
    }

    /// HMAC takes a key of any length, so it is never `None`.
    fn keyed(algorithm: JwtAlgorithm, secret: &[u8]) -> Option<Self> {
        Some(match algorithm {
            JwtAlgorithm::Hs384 => Self::Hs384(Hmac::new_from_slice(secret).ok()?),
            JwtAlgorithm::Hs512 => Self::Hs512(Hmac::new_from_slice(secret).ok()?),
            _ => Self::Hs256(Hmac::new_from_slice(secret).ok()?),
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Hs384(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Hs512(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }

    /// Compared in constant time by `verify_slice`.
    pub(super) fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => key.clone().chain_update(message).verify_slice(mac).is_ok(),
            Self::Hs384(key) => key.clone().chain_update(message).verify_slice(mac).is_ok(),
            Self::Hs512(key) => key.clone().chain_update(message).verify_slice(mac).is_ok(),
        }
    }
}

/// Whether a secret is long only to the eye: a published example or a placeholder, a block that
/// repeats itself, runs like `abc…` and `0123…`, or the text of a key, which a public one is for
/// everybody.
pub(super) fn is_guessable(secret: &[u8]) -> bool {
    const PUBLISHED: [&str; 3] = [
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-384-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    ];
    const PLACEHOLDERS: [&str; 19] = [
        "example",
        "sample",
        "only:",
        "for tests",
        "tests only",
        "test-only",
        "test_only",
        "placeholder",
        "replace-me",
        "replace_me",
        "changeme",
        "change-me",
        "change_me",
        "changeit",
        "your-secret",
        "your_secret",
        "your-256-bit-secret",
        "insert-secret",
        "django-insecure-",
    ];
    const KEY_TEXTS: [&str; 2] = ["-----begin ", "\"kty\""];
    let distinct: HashSet<&u8> = secret.iter().collect();
    let jumps = secret
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) > 1)
        .count();
    // Bytes that are no text are replaced and not refused: random ones are the best secret, and a
    // placeholder is found all the same.
    let text = String::from_utf8_lossy(secret).to_ascii_lowercase();
    distinct.len() < 8
        || is_repetition(secret)
        || jumps < 8
        || PUBLISHED.contains(&text.as_str())
        || PLACEHOLDERS
            .iter()
            .chain(&KEY_TEXTS)
            .any(|word| text.contains(word))
}

/// Whether it is a shorter block again and again, the last one perhaps cut.
fn is_repetition(secret: &[u8]) -> bool {
    let mut lengths = 1..=secret.len() / 2;
    lengths.any(|length| secret[length..] == secret[..secret.len() - length])
}
