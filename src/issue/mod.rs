//! Beside the way of a request: what is issued, rotated and revoked.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, unused_imports, reason = "each scheme needs a part of it")
)]

#[cfg(feature = "api-key")]
mod api_keys;
#[cfg(feature = "jwt")]
mod claims;
#[cfg(feature = "jwt")]
mod grant;
#[cfg(feature = "jwt")]
mod issuer;
mod name;
#[cfg(feature = "jwt")]
mod tokens;

#[cfg(feature = "api-key")]
pub use api_keys::KeyRequest;
#[cfg(feature = "jwt")]
pub use grant::Grant;
#[cfg(feature = "jwt")]
pub use issuer::{NewPrivateToken, TokenIssuer, TokenPair};
use name::checked_name;
#[cfg(feature = "jwt")]
pub use tokens::Tokens;
