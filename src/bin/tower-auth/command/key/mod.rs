//! API keys, through [`tower_auth::KeyIssuer`].

mod create;
mod form;
mod key_command;
mod list;
mod new_key;
mod revoke;
mod rotate;
mod show;

pub(crate) use key_command::KeyCommand;
pub(crate) use new_key::NewKeyShown;
