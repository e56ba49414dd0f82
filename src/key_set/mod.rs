//! Keys that sign the tokens we issue, and rings of them.
//!
//! ```text
//! SigningKey active  ─ build ─ Signer ─┐                 ┌─ sign: by the active key
//! SigningKey next …  ─ build ─ Signer ─┼─ KeyRing, keys ─┼─ verifying_keys: every one
//! JwtKey retired …  ───────────────────┘   by `kid`      └─ jwks: the public ones
//! ```
//!
//! A key goes through a ring in that order: verifiers know it before it signs, and until what it signed is expired.

mod private_key;
mod ring;
mod signing_key;

pub use signing_key::SigningKey;

pub(crate) use ring::KeyRing;

#[cfg(test)]
mod tests;
