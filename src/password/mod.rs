//! Passwords: a bounded pool that hashes and verifies off the runtime's threads, readers of stored
//! hashes, and the policy that a new password has to satisfy.

mod common;
#[cfg(feature = "django-hashes")]
mod foreign;
mod hash;
mod policy;
mod pool;
mod remembered;

pub use hash::{PasswordError, hash_password, reads_password_hash};
pub use policy::{PasswordPolicy, PasswordProblem};

pub(crate) use hash::Check;
pub(crate) use pool::Passwords;
pub(crate) use remembered::{Remembered, Verified};
