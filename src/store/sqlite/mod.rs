//! The store in one file.

mod engine;
mod sqlite;

pub use sqlite::Sqlite;
