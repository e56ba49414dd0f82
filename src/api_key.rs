//! API keys in detail: a new one, what ids look like, and how a scanner for secrets finds keys that
//! have leaked.
//!
//! What accepts keys is at the root: [`ApiKeys`](crate::ApiKeys), and
//! [`KeyIssuer`](crate::KeyIssuer) makes them.

pub use crate::issue::NewKey;
pub use crate::scheme::api_key::{KeyIds, SecretScanner};
