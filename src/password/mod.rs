//! Passwords: a bounded pool that hashes and verifies off the runtime's threads, and readers of stored hashes.

#[cfg(feature = "django-hashes")]
mod foreign;
mod hash;
mod pool;

pub use hash::{PasswordError, hash_password};

pub(crate) use hash::Check;
pub(crate) use pool::Passwords;
