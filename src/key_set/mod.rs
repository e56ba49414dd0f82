//! Keys of JWTs: those that verify, in sets of which a token's header chooses one, and those that
//! sign the tokens we issue, in rings.
//!
//! ```text
//! JwtKey …  ─ build ─ Key ─ KeySet ─ choose: the key that `alg` and `kid` mean ─ verify
//!
//! SigningKey active  ─ build ─ Signer ─┐                 ┌─ sign: by the active key
//! SigningKey next …  ─ build ─ Signer ─┼─ KeyRing, keys ─┼─ verifying_keys: every one
//! JwtKey retired …  ───────────────────┘   by `kid`      └─ jwks: the public ones
//! ```
//!
//! The keys of an issuer that publishes them come from its JWK set (`JwtKeys`): what is no key for
//! verifying is skipped there, and reported.
//!
//! ```text
//! KeySource ─ load, one at a time ─ LiveKeys: the KeySet of now, by its number
//! ```
//!
//! A key goes through a ring in that order: verifiers know it before it signs, and until what it
//! signed is expired.

mod algorithm;
mod algorithms;
mod back_end;
mod confirmation;
mod jwk;
mod jws;
mod jwt_keys;
mod key;
mod key_source;
mod key_source_error;
mod live_keys;
mod live_limits;
mod material;
mod new_pair;
mod private_key;
mod proof_key;
mod public_key;
mod ring;
mod seal;
mod secret_key;
mod set;
mod sign_error;
mod signing_key;
mod skipped_key;
mod unchosen;

pub use algorithm::JwtAlgorithm;
pub(crate) use algorithms::Algorithms;
pub(crate) use back_end::check_back_end;
pub use jwt_keys::JwtKeys;
pub use key::JwtKey;
pub use signing_key::SigningKey;
pub use skipped_key::SkippedKey;

pub(crate) use confirmation::Confirmation;
pub(crate) use jws::{LONGEST_KID, Parts, decoded, decoded_into, refused};
pub(crate) use key::Key;
pub(crate) use new_pair::{NewPairError, check_makes_pairs, new_pair};
pub(crate) use proof_key::ProofKey;
pub(crate) use ring::{KeyRing, jwks};
pub(crate) use seal::{Opened, Seal, SealError};
pub(crate) use set::KeySet;
pub(crate) use signing_key::Signer;
pub(crate) use unchosen::Unchosen;
pub(crate) use {
    jwt_keys::LONGEST_JWKS,
    key_source::{KeySource, Loaded},
    key_source_error::KeySourceError,
    live_keys::LiveKeys,
    live_limits::LiveLimits,
};

#[cfg(test)]
mod tests;
