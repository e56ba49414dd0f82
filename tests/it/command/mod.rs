//! The command `tower-auth`, as a process, over both databases.

mod doctor;
mod errors;
mod guide;
mod help;
mod json;
mod keys;
mod place;
mod secrets;
mod tokens;
mod told;
mod users;
