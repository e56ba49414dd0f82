//! API keys, through [`tower_auth::KeyIssuer`].

mod create;
mod form;
mod key_command;
mod list;
mod new_key;
mod pattern;
mod revoke;
mod rotate;
mod show;
mod unused_scopes;

pub(crate) use key_command::KeyCommand;
pub(crate) use new_key::NewKeyShown;
pub(crate) use pattern::PatternShown;
pub(crate) use unused_scopes::UnusedShown;
