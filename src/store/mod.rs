//! Persistence: what a store promises.
//!
//! A [`KeyStore`] keeps API-key records, a [`UserStore`] users, a [`TokenStore`] refresh families, private tokens and
//! revocations. [`Memory`] is all three, for tests, demos and keys that come from configuration. An application's own store
//! implements the traits and runs the conformance suite (`store::conformance`, feature `test-util`), which checks each promise
//! made here.
//!
//! Promises common to all traits:
//!
//! - A look-up has a synchronous first answer, [`Peek`] or [`Known`]; what memory knows needs no future.
//! - `insert` writes nothing and says [`StoreErrorKind::Exists`] when one of the identifying fields is taken.
//! - "Not written" is an error, never `Ok`.
//! - Each call is atomic: it has all of its effect or none.
//! - After a call has returned, every later call sees its effect.
//! - `now` is an argument: a store never reads a clock.

#[cfg(feature = "test-util")]
pub mod conformance;
mod connect;
mod denials;
mod error;
pub(crate) mod forward;
mod guard;
mod key_store;
mod look_up;
mod memory;
mod options;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod token_store;
mod user_store;

pub use connect::Store;
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "endpoints")]
pub(crate) use guard::caught_future;
#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(unused_imports, reason = "each scheme needs a part of it")
)]
pub(crate) use guard::{Change, Guard, caught};
pub use key_store::KeyStore;
pub use look_up::{Known, Peek};
pub use memory::Memory;
pub use options::StoreOptions;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
#[cfg(feature = "api-key")]
pub(crate) use record::SHA512;
pub use record::{
    FamilyRecord, KeyDigest, KeyRecord, Rotated, Rotation, TokenIds, TokenRecord, UserChange,
    UserRecord,
};
#[cfg(all(feature = "test-util", any(feature = "sqlite", feature = "postgres")))]
pub use sql::LOOK_UPS;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use token_store::TokenStore;
pub use user_store::UserStore;
