//! The store in memory.

mod keys;
mod memory;
mod tokens;
mod users;

pub use memory::Memory;

use memory::{read, write};
