//! Persistence: stores in memory, SQLite and PostgreSQL, and the traits that a store of your own
//! implements, with what each promises.
//!
//! Traits by role, so that what an application has already becomes a store with one method:
//!
//! | trait | for | required |
//! |---|---|---|
//! | [`KeyStore`] | verifying API keys | a look-up by digest |
//! | [`ManagedKeyStore`] | making, listing, rotating and revoking them | read, insert, replace if unchanged, list by page |
//! | [`UserStore`] | Basic, and `Users::authenticate` | a look-up by name |
//! | [`ManagedUserStore`] | registering, changing and removing users | read, insert, replace if unchanged, list by page |
//! | [`TokenStore`] | refresh families and revocations | the same for families, and two for revocations |
//! | [`PrivateTokenStore`] | private tokens | read, insert, replace if unchanged, list by page |
//! | [`SigningKeyStore`] | keys that tokens are signed with, agreed on by several nodes | list, insert, replace if unchanged, remove |
//! | [`AuditStore`] | what happened, to be read later | insert, list, remove what is old |
//!
//! All other methods are provided on top of the required ones. [`Memory`] has every role, for
//! tests, demos and keys that come from configuration. An application's own store runs the
//! conformance suite (`store::conformance`, feature `test-util`), which checks each promise made
//! here.
//!
//! Promises common to all traits:
//!
//! - A look-up has a synchronous first answer, [`Peek`], [`Known`] or [`Account`]; what memory
//!   knows needs no future.
//! - `insert` writes nothing and says [`StoreErrorKind::Exists`] when one of the identifying fields
//!   is taken.
//! - `replace` writes nothing and says [`StoreErrorKind::Missing`] when the record is another than
//!   the one that was read. The look and the write are one step: `UPDATE … WHERE id = $1 AND …`
//!   with what was read, or a transaction that locks the row.
//! - `list` gives a page; a shorter one is the last.
//! - "Not written" is an error, never `Ok`.
//! - Each required call is atomic: it has all of its effect or none.
//! - After a call has returned, every later call sees its effect.
//! - Times that are written or compared are arguments: a store never asks what time it is.

mod accounts;
mod all_stores;
mod audit_store;
#[cfg(feature = "test-util")]
pub mod conformance;
mod denials;
mod error;
pub(crate) mod forward;
mod guard;
mod in_turn;
mod key_store;
mod known;
mod managed_key_store;
mod managed_user_store;
mod memory;
mod options;
mod peek;
#[cfg(feature = "postgres")]
mod postgres;
mod private_token_store;
mod record;
mod retry;
mod schema_version;
mod shards;
mod signing_key_store;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod stores;
mod token_store;
mod user_store;

pub use all_stores::AllStores;
pub use audit_store::AuditStore;
pub use error::{StoreError, StoreErrorKind};
pub(crate) use guard::caught_future;
#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(unused_imports, reason = "each scheme needs a part of it")
)]
pub(crate) use guard::{Change, Guard, caught};
pub use key_store::KeyStore;
pub use known::Known;
pub use managed_key_store::ManagedKeyStore;
pub use managed_user_store::ManagedUserStore;
pub use memory::Memory;
pub use options::StoreOptions;
pub use peek::Peek;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use private_token_store::PrivateTokenStore;
pub use record::{
    Account, AuditRecord, FamilyRecord, KeyDigest, KeyRecord, LastUse, Room, Rotated, Rotation,
    SigningKeyRecord, TakenRights, TokenIds, TokenRecord, UserChange, UserRecord, UserState,
    Warrant, Write,
};
#[cfg(feature = "api-key")]
pub(crate) use record::{DJANGO, SHA512};
pub use schema_version::SchemaVersion;
pub use signing_key_store::SigningKeyStore;
#[cfg(all(feature = "test-util", any(feature = "sqlite", feature = "postgres")))]
pub use sql::LOOK_UPS;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use store::Store;
pub use stores::Stores;
pub use token_store::TokenStore;
pub use user_store::UserStore;

#[cfg(feature = "basic")]
pub use crate::login::name_form;
