//! JWTs (RFC 7519): those that others sign, verified with local keys, and those that we issue.
//!
//! ```text
//! token ─ split ─ seen before? ─ policy by `iss` (where there are several) ─ header → key
//!                  │                                                                  │
//!                  └─ times, audience, revocation, account ─ claims ─ signature ──────┘
//!                                                     every "no" is the same answer
//! ```
//!
//! The signature is judged before the claims, the key fixes the algorithm, and every member name
//! may stand once. The keys, and the form of what they sign, are in `key_set`.

mod cache;
mod claim_path;
mod claims;
mod header;
mod introspection;
mod issuer;
mod issuers;
mod jwt;
mod oidc;
mod ours;
mod policy;
mod reading;
#[cfg_attr(
    not(feature = "dpop"),
    allow(dead_code, unreachable_pub, reason = "nothing switches it on then")
)]
mod sender;
mod simplejwt;
mod strict;
mod token_facts;
mod verified_token;

pub use claim_path::ClaimPath;
pub use introspection::Introspection;
pub(crate) use issuers::{Jwts, OurPolicy, is_reserved};
pub(crate) use jwt::CACHE_BYTES;
pub use jwt::Jwt;
pub(crate) use ours::{IssuedIds, Ours, ReadToken, revoked};
#[cfg(feature = "dpop")]
pub use sender::Dpop;
pub(crate) use simplejwt::SimpleJwtUsers;
pub use token_facts::TokenFacts;
