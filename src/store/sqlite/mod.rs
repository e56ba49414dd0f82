//! The store in one file.

mod engine;
mod pools;
mod sqlite;

pub use sqlite::Sqlite;
