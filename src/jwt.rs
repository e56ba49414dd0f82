//! JSON Web Tokens (RFC 7519) in detail: keys and algorithms, claims, and tokens that are bound to
//! whoever presents them.
//!
//! What accepts tokens is at the root: [`Tokens`](crate::Tokens) those that the service issues
//! itself, [`Jwt`](crate::Jwt) those of an identity provider.

#[cfg(feature = "dpop")]
pub use crate::scheme::jwt::Dpop;

pub use crate::issue::{KeyRotation, NewPrivateToken, SimpleJwt};
pub use crate::key_set::{JwtAlgorithm, JwtKey, JwtKeys, SigningKey, SkippedKey};
pub use crate::scheme::jwt::{ClaimPath, Introspection, TokenFacts};
