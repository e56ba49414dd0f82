//! API keys: how they look, what they are found by, and who presents a good one.

mod api_keys;
mod hash;
mod hashed_as_passwords;
mod secret_scanner;
mod verifier;

pub use api_keys::{ApiKeys, KeyIds};
pub use secret_scanner::SecretScanner;

pub(crate) use hashed_as_passwords::HashedAsPasswords;
pub(crate) use verifier::KeyVerifier;
