//! JWTs (RFC 7519): those that others sign, verified with local keys, and those that we issue.
//!
//! ```text
//! token ─ split ─ policy by `iss` (where there are several) ─ header → key ─ signature ─ claims
//!                                                                  every "no" is the same answer
//! ```
//!
//! The signature is judged before the claims, the key fixes the algorithm, and every member name
//! may stand once. The keys, and the form of what they sign, are in `key_set`.

#[expect(unused_imports, reason = "the policies do not look there yet")]
#[cfg_attr(not(test), expect(dead_code, reason = "as above"))]
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
mod strict;
mod token_facts;

pub use claim_path::ClaimPath;
pub use introspection::Introspection;
pub(crate) use issuers::{Jwts, OurPolicy, is_reserved};
pub use jwt::Jwt;
pub(crate) use ours::{IssuedIds, Ours, revoked};
pub use token_facts::TokenFacts;
