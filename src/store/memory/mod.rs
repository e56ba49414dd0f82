//! The store in memory.

mod all_stores;
mod key_store;
mod keys;
mod memory;
mod token_store;
mod tokens;
mod user_store;
mod users;

pub use memory::Memory;
