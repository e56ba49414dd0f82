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
#[cfg(feature = "jwt")]
mod tokens;

#[cfg(feature = "api-key")]
pub use api_keys::KeyRequest;
#[cfg(feature = "jwt")]
pub use grant::Grant;
#[cfg(feature = "jwt")]
pub use issuer::{NewPrivateToken, TokenIssuer, TokenPair};
#[cfg(feature = "jwt")]
pub use tokens::Tokens;

use crate::random::RandomError;
use crate::reject::{FieldError, Rejection};

/// The longest name of a key or a private token, in characters.
const LONGEST_NAME: usize = 200;

/// A name that can stand in a list.
fn checked_name(name: &str) -> Result<(), FieldError> {
    if name.trim().is_empty() {
        return Err(FieldError::new("name", "blank", "This field may not be blank."));
    }
    if name.chars().any(char::is_control) {
        return Err(FieldError::invalid("name", "A name has no control characters."));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(FieldError::new("name", "max_length", "A name has at most 200 characters."));
    }
    Ok(())
}

impl From<RandomError> for Rejection {
    fn from(error: RandomError) -> Self {
        Self::unavailable("no randomness", error)
    }
}
