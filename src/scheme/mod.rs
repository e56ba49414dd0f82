//! How a credential is verified: what a scheme of your own implements ([`Scheme`]), and what those
//! of this crate do.
//!
//! A [`Scheme`] gives one of three answers, not two: a credential that is none of its business lets
//! the next scheme look, and one that it recognises is decided here and now. What memory can answer
//! is answered at once; only a store or a network call makes a future.

#[cfg(feature = "api-key")]
pub(crate) mod api_key;
#[cfg(feature = "basic")]
mod basic;
mod chain;
mod id;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
mod own;
mod readiness;
mod scheme;

#[cfg(feature = "api-key")]
pub(crate) use api_key::{HashedAsPasswords, KeyVerifier};
#[cfg(feature = "basic")]
pub(crate) use basic::{BasicVerifier, Judge, wrong_password};
pub(crate) use chain::Chain;
pub(crate) use id::SchemeId;
#[cfg(feature = "jwt")]
pub(crate) use jwt::{
    CACHE_BYTES, IssuedIds, Jwts, OurPolicy, Ours, ReadToken, SimpleJwtUsers, is_reserved, revoked,
};
pub(crate) use own::Own;
pub(crate) use readiness::all_ready;
pub use scheme::{Answer, PendingAnswer, Readiness, Scheme};

pub use crate::attempt::Attempt;
pub use crate::principal::PrincipalBuilder;
