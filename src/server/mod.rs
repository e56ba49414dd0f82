//! For servers that their environment configures: settings, a listener that waits for no client for
//! ever, and a stop that finishes what is in flight.

mod activity;
mod client_limits;
mod connection;
mod environment;
mod server;
mod watched;

pub use environment::Environment;
pub use server::Server;
