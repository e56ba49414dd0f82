//! Users of ours: who registers, signs in and is disabled.

mod basic;
mod users;

pub use basic::Basic;
pub use users::{NewUser, Users};
