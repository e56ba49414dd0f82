//! Tokens, through [`tower_auth::TokenIssuer`].

mod presented;
mod revocation;
mod revoke;
mod token_command;

pub(crate) use revocation::Revocation;
pub(crate) use token_command::TokenCommand;
