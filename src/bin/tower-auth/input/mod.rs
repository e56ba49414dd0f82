//! What commands are told: whom and what it is about, by arguments; secrets, by stdin or a file.

mod key;
mod owner;
mod password;
mod payload;
mod period;
mod secret;
mod user;
mod values;

pub(crate) use key::KeyArgument;
pub(crate) use owner::OwnerArgument;
pub(crate) use password::PasswordInput;
pub(crate) use payload::payload_of;
pub(crate) use period::Period;
pub(crate) use secret::read_secret;
pub(crate) use user::UserArgument;
pub(crate) use values::{date, json, rate, role, scope, subject};
