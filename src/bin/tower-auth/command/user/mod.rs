//! Users, through [`tower_auth::Users`].

mod add;
mod list;
mod password;
mod show;
mod state;
mod user_command;

pub(crate) use user_command::UserCommand;
