//! Private keys at rest.
//!
//! ```text
//! sealed = version (1 byte, 1) | nonce (12 random bytes) | ciphertext | tag (16 bytes)
//! ```
//!
//! ChaCha20-Poly1305 (RFC 8439 §2.8) under a key that HMAC-SHA-256 derives from the operator's
//! secret. What is said of the key besides is authenticated with it: nobody who can write it can
//! change it. Either back end reads what the other one wrote.

use super::secret_key::is_guessable;
use crate::config::ConfigProblem;
use crate::random::{self, RandomError};
use crate::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
/// The least length of a secret, in bytes.
const LEAST: usize = 32;
const PURPOSE: &[u8] = b"tower-auth: private keys at rest, version 1";

/// Seals private keys, and opens them: by the secret that seals, and by others that did.
pub(crate) struct Seal {
    seals: SealingKey,
    opens: Vec<SealingKey>,
}

/// What was sealed.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) secret: Secret<Vec<u8>>,
    /// Whether it was sealed by the secret that seals now.
    pub(crate) is_current: bool,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("the cryptographic back end did not seal")]
    BackEnd,
}

struct SealingKey(Secret<[u8; 32]>);

impl Seal {
    pub(crate) fn build(
        seals: &Secret<Vec<u8>>,
        opens: &[Secret<Vec<u8>>],
    ) -> Result<Self, ConfigProblem> {
        let opens: Result<_, _> = opens.iter().map(SealingKey::derive).collect();
        Ok(Self {
            seals: SealingKey::derive(seals)?,
            opens: opens?,
        })
    }

    /// Seals a secret, and what is said `about` it with it.
    pub(crate) fn seal(&self, about: &[u8], secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        random::fill(&mut nonce)?;
        let Self {
            seals: SealingKey(key),
            ..
        } = self;
        let sealed = backend::seal(key.expose(), nonce, about, secret);
        let sealed = sealed.ok_or(SealError::BackEnd)?;
        Ok([&[VERSION], &nonce[..], &sealed[..]].concat())
    }

    /// What was sealed, if it was by a secret that is known, and if this was said about it.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Opened> {
        let (&version, rest) = sealed.split_first()?;
        let (&nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        if version != VERSION || rest.len() < TAG {
            return None;
        }
        // The present secret comes first: all but the keys that were sealed before a change need
        // one try.
        let current = self.seals.open(nonce, about, rest);
        let is_current = current.is_some();
        let mut others = self.opens.iter();
        let secret = current.or_else(|| others.find_map(|key| key.open(nonce, about, rest)))?;
        Some(Opened { secret, is_current })
    }
}

impl SealingKey {
    fn derive(secret: &Secret<Vec<u8>>) -> Result<Self, ConfigProblem> {
        let secret = secret.expose();
        if secret.len() < LEAST || is_guessable(secret) {
            return Err(ConfigProblem::SealingSecret);
        }
        // Derived for this purpose alone: the operator's secret may have other uses, and nothing
        // that is made by those opens what is sealed here.
        let derived = Hmac::<Sha256>::new_from_slice(secret)
            .map_err(|_| ConfigProblem::SealingSecret)?
            .chain_update(PURPOSE)
            .finalize();
        Ok(Self(Secret::new(derived.into_bytes().into())))
    }

    fn open(&self, nonce: [u8; NONCE], about: &[u8], sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        let opened = backend::open(self.0.expose(), nonce, about, sealed);
        opened.map(Secret::new)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(feature = "aws-lc-rs")]
mod backend {
    use super::NONCE;
    use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    use zeroize::Zeroizing;

    fn key(key: &[u8; 32]) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).ok()?;
        Some(LessSafeKey::new(key))
    }

    pub(super) fn seal(
        with: &[u8; 32],
        nonce: [u8; NONCE],
        about: &[u8],
        secret: &[u8],
    ) -> Option<Vec<u8>> {
        // As long as it will be: to grow would leave a copy of the secret behind.
        let mut sealed = Vec::with_capacity(secret.len() + super::TAG);
        sealed.extend_from_slice(secret);
        let nonce = Nonce::assume_unique_for_key(nonce);
        key(with)?
            .seal_in_place_append_tag(nonce, Aad::from(about), &mut sealed)
            .ok()?;
        Some(sealed)
    }

    pub(super) fn open(
        with: &[u8; 32],
        nonce: [u8; NONCE],
        about: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let mut opened = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let secret = key(with)?
            .open_in_place(nonce, Aad::from(about), &mut opened)
            .ok()?;
        Some(secret.to_vec())
    }
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
mod backend {
    use super::NONCE;
    use chacha20poly1305::aead::{Aead, Payload};
    use chacha20poly1305::{ChaCha20Poly1305, KeyInit};

    pub(super) fn seal(
        with: &[u8; 32],
        nonce: [u8; NONCE],
        about: &[u8],
        secret: &[u8],
    ) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: secret,
            aad: about,
        };
        let cipher = ChaCha20Poly1305::new(with.into());
        cipher.encrypt(&nonce.into(), payload).ok()
    }

    pub(super) fn open(
        with: &[u8; 32],
        nonce: [u8; NONCE],
        about: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: sealed,
            aad: about,
        };
        let cipher = ChaCha20Poly1305::new(with.into());
        cipher.decrypt(&nonce.into(), payload).ok()
    }
}

/// No back end: there are no keys to seal.
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod backend {
    use super::NONCE;

    pub(super) fn seal(_: &[u8; 32], _: [u8; NONCE], _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(super) fn open(_: &[u8; 32], _: [u8; NONCE], _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod tests {
    use super::*;

    fn secret(n: u8) -> Secret<Vec<u8>> {
        let bytes = (0..32_u8).map(|at| at.wrapping_mul(83).wrapping_add(n).rotate_left(3));
        Secret::new(bytes.collect())
    }

    fn seal(seals: u8, opens: &[u8]) -> Seal {
        let opens: Vec<_> = opens.iter().map(|n| secret(*n)).collect();
        Seal::build(&secret(seals), &opens).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_by_its_secret_alone_and_says_whether_that_one_seals_now() {
        let sealed = seal(1, &[]).seal(b"about", b"the key").unwrap();
        for (name, by, opens) in [
            ("the secret", seal(1, &[]), Some(true)),
            ("a former one", seal(2, &[3, 1]), Some(false)),
            ("others", seal(2, &[3]), None),
        ] {
            let opened = by.open(b"about", &sealed);
            let is_current = opened.as_ref().map(|opened| opened.is_current);
            assert_eq!(is_current, opens, "{name}");
            if let Some(opened) = opened {
                assert_eq!(opened.secret.expose(), b"the key", "{name}");
            }
        }
    }

    #[test]
    fn no_byte_of_what_is_sealed_nor_of_what_is_said_about_it_can_be_changed() {
        let seal = seal(1, &[2]);
        let sealed = seal.seal(b"about", b"the key").unwrap();
        let again = seal.seal(b"about", b"the key").unwrap();
        assert_ne!(sealed, again, "two are never alike");
        assert_eq!(sealed.len(), 1 + NONCE + b"the key".len() + TAG);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(b"about", &changed).is_none(), "byte {at}");
            assert!(seal.open(b"about", &sealed[..at]).is_none(), "cut at {at}");
        }
        assert!(seal.open(b"About", &sealed).is_none());
        assert!(seal.open(b"about", &sealed).is_some());
    }

    /// As the library `cryptography` of Python sealed it: the form is that of RFC 8439, and either
    /// back end reads it.
    #[test]
    fn what_was_sealed_elsewhere_by_the_same_secret_opens() {
        #[rustfmt::skip]
        const SEALED: &[u8] = &[
            0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
            0x0b, 0x4a, 0x43, 0x16, 0xc8, 0xd7, 0x8d, 0x5a, 0x2e, 0x73, 0xa5, 0x97,
            0xd4, 0xcb, 0x0f, 0x57, 0x60, 0xc3, 0x01, 0x17, 0x76, 0xdb, 0x34, 0xd1,
        ];
        let opened = seal(1, &[]).open(b"about", SEALED).unwrap();
        assert_eq!(opened.secret.expose(), b"the key");
    }

    #[test]
    fn a_secret_that_can_be_guessed_seals_nothing() {
        for weak in [
            &b"too short"[..],
            &[7; 64],
            b"a-string-secret-at-least-256-bits-long",
        ] {
            let weak = Secret::new(weak.to_vec());
            let problem = Seal::build(&weak, &[]).unwrap_err();
            assert_eq!(problem, ConfigProblem::SealingSecret);
            let problem = Seal::build(&secret(1), &[weak]).unwrap_err();
            assert_eq!(problem, ConfigProblem::SealingSecret);
        }
    }
}
