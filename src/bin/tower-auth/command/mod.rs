//! What the command does, a file each. Each says by a type of its own what it prints.

mod audit;
mod doctor;
mod explain;
mod key;
mod migrate;
mod schema;
mod secret;
mod token;
mod user;

pub(crate) use audit::AuditCommand;
pub(crate) use doctor::Doctor;
pub(crate) use explain::Explain;
pub(crate) use key::KeyCommand;
pub(crate) use migrate::Migrate;
pub(crate) use schema::Schema;
#[cfg(test)]
pub(crate) use schema::commands_with_a_schema;
pub(crate) use secret::SecretCommand;
pub(crate) use token::TokenCommand;
pub(crate) use user::UserCommand;
