//! Users of ours: who registers, signs in and is disabled.

mod users;

pub(crate) use users::{Attempt, normal};
pub use users::{NewUser, Users};
