//! Beside the way of a request: what is issued, rotated and revoked.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, unused_imports, reason = "each scheme needs a part of it")
)]

#[cfg(feature = "jwt")]
mod claims;
#[cfg(feature = "jwt")]
mod grant;
#[cfg(feature = "api-key")]
mod key_issuer;
#[cfg(feature = "api-key")]
mod key_request;
#[cfg(feature = "jwt")]
mod key_rotation;
#[cfg(feature = "jwt")]
mod mint;
mod name;
#[cfg(feature = "jwt")]
mod rotation;
#[cfg(feature = "jwt")]
mod signing;
#[cfg(feature = "jwt")]
mod simple_jwt;
#[cfg(feature = "jwt")]
mod token_issuer;
#[cfg(feature = "jwt")]
mod token_pair;
#[cfg(feature = "jwt")]
mod tokens;

#[cfg(feature = "jwt")]
pub use grant::Grant;
#[cfg(feature = "api-key")]
pub use key_issuer::{KeyIssuer, NewKey};
#[cfg(feature = "api-key")]
pub use key_request::KeyRequest;
#[cfg(feature = "jwt")]
pub use key_rotation::KeyRotation;
#[cfg(feature = "openapi")]
pub(crate) use name::LONGEST_NAME;
#[cfg(feature = "jwt")]
pub use simple_jwt::SimpleJwt;
#[cfg(feature = "jwt")]
pub use token_issuer::{NewPrivateToken, TokenIssuer};
#[cfg(feature = "jwt")]
pub use token_pair::TokenPair;
#[cfg(feature = "jwt")]
pub use tokens::Tokens;
