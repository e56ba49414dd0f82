//! The store that many nodes share.

mod engine;
mod postgres;

pub use postgres::Postgres;
