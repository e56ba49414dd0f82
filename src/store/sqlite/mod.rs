//! The store in one file.

mod engine;
mod pools;
mod sqlite;
mod url;

pub use sqlite::Sqlite;
