//! The store in memory.

mod all_stores;
mod audit;
mod audit_store;
mod key_store;
mod keys;
mod memory;
mod signing_key_store;
mod signing_keys;
mod token_store;
mod tokens;
mod user_store;
mod users;

pub use memory::Memory;
