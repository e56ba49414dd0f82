//! Step 2: verification, one scheme a file.
//!
//! A [`Scheme`] gives one of three answers, not two: a credential that is none of its business lets
//! the next scheme look, and one that it recognises is decided here and now. What memory can answer
//! is answered at once; only a store or a network call makes a future.

#[cfg(feature = "api-key")]
mod api_key;
#[cfg(feature = "basic")]
mod basic;
mod chain;
mod id;
#[cfg(feature = "jwt")]
mod jwt;
mod own;
mod readiness;
mod scheme;

#[cfg(feature = "api-key")]
pub use api_key::{ApiKeys, KeyIds, SecretScanner};
#[cfg(feature = "api-key")]
pub(crate) use api_key::{HashedAsPasswords, KeyVerifier};
#[cfg(feature = "basic")]
pub(crate) use basic::{BasicVerifier, Judge, wrong_password};
pub(crate) use chain::Chain;
pub(crate) use id::SchemeId;
#[cfg(feature = "dpop")]
pub use jwt::Dpop;
#[cfg(feature = "jwt")]
pub(crate) use jwt::{
    CACHE_BYTES, IssuedIds, Jwts, OurPolicy, Ours, ReadToken, SimpleJwtUsers, is_reserved, revoked,
};
#[cfg(feature = "jwt")]
pub use jwt::{ClaimPath, Introspection, Jwt, TokenFacts};
pub(crate) use own::Own;
pub(crate) use readiness::all_ready;
pub use scheme::{Answer, PendingAnswer, Readiness, Scheme};
