//! Stores in an SQL database: what SQLite and PostgreSQL have in common.
//!
//! ```text
//! request ─ peek ─→ cache, mirror        memory: keys and users read lately; all that is denied
//!             └ Ask ─→ call ─→ database  one deadline a call; what was read goes into the cache
//! feed ─ poll, notice ─→ cache, mirror   what other nodes changed
//! ```
//!
//! Triggers in the schema write each change of a key, a user or a revocation into a table of
//! changes, so that whoever makes it, by whatever way, every node hears of it.

mod about;
mod age;
mod audit;
mod cache;
mod commit;
mod core;
pub(in crate::store) mod driver;
mod effects;
pub(in crate::store) mod engine;
mod feed;
mod keys;
mod lease;
pub(in crate::store) mod locking;
#[cfg(feature = "test-util")]
mod look_ups;
mod migrate;
mod mirror;
mod noted;
mod purge;
pub(in crate::store) mod rows;
mod signing_keys;
mod sql;
mod start;
mod tokens;
mod users;

#[cfg(feature = "test-util")]
pub use look_ups::LOOK_UPS;
pub(super) use sql::Sql;
