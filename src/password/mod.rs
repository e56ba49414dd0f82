//! Passwords: hashed and verified in a bounded pool off the runtime's threads, read in the forms
//! that other systems stored, and judged before they are taken
//! ([`PasswordPolicy`](crate::PasswordPolicy)).

mod common;
#[cfg(feature = "django-hashes")]
mod foreign;
mod hash;
pub(crate) mod policy;
mod pool;
mod remembered;

pub use hash::{PasswordError, hash_password, reads_password_hash};
pub use policy::PasswordProblem;

pub(crate) use hash::Check;
pub(crate) use pool::Passwords;
pub(crate) use remembered::{Remembered, Verified};
