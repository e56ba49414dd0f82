//! Persistence: what a store promises.
//!
//! A [`KeyStore`] keeps API-key records, a [`UserStore`] users. [`Memory`] is both, for tests, demos and keys that
//! come from configuration. An application's own store implements the traits and runs the conformance suite
//! (`store::conformance`, feature `test-util`), which checks each promise made here.
//!
//! Promises common to both traits:
//!
//! - A look-up has a synchronous first answer, [`Peek`]; what memory knows needs no future.
//! - `insert` writes nothing and says [`StoreErrorKind::Exists`] when one of the identifying fields is taken.
//! - "Not written" is an error, never `Ok`.
//! - After a call has returned, every later call sees its effect.
//! - `now` is an argument: a store never reads a clock.

#[cfg(feature = "test-util")]
pub mod conformance;
mod error;
mod guard;
mod memory;
mod record;

pub use error::{StoreError, StoreErrorKind};
pub use memory::Memory;
pub use record::{KeyDigest, KeyRecord, UserRecord};

#[cfg(any(feature = "api-key", feature = "basic"))]
pub(crate) use guard::{Guard, caught};

use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// The synchronous first answer to a look-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Peek<T> {
    /// There is such a record, and this is its present state.
    Found(Arc<T>),
    /// There is no such record.
    Absent,
    /// Memory cannot tell: ask the asynchronous method.
    Ask,
}

/// Keeps API-key records.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The record with that digest as far as memory knows, revoked and expired ones included.
    fn peek_key(&self, digest: &KeyDigest, now: SystemTime) -> Peek<KeyRecord> {
        let _ = (digest, now);
        Peek::Ask
    }

    /// The record with that digest, revoked and expired ones included: the caller judges.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the store cannot tell.
    async fn find_key(
        &self,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError>;

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`] when its id or its digest is taken, [`StoreErrorKind::Unavailable`] when it
    /// could not be written.
    async fn insert_key(&self, record: KeyRecord, now: SystemTime) -> Result<(), StoreError>;

    /// All records of an owner, oldest first, by [`created`](KeyRecord::created) and then id.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the store cannot tell.
    async fn list_keys(&self, owner: &Subject, now: SystemTime) -> Result<Vec<Arc<KeyRecord>>, StoreError>;

    /// Revokes a key of that owner. A key that is revoked already stays as it is, with its first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when the owner has no such key, somebody else's included;
    /// [`StoreErrorKind::Unavailable`] when it could not be written.
    async fn revoke_key(&self, owner: &Subject, id: &str, now: SystemTime) -> Result<(), StoreError>;
}

/// Keeps users.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// The user who signs in by that name as far as memory knows, disabled ones included.
    fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
        let _ = (name, now);
        Peek::Ask
    }

    /// The user who signs in by that name, disabled ones included: the caller judges. Names are compared exactly.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the store cannot tell.
    async fn find_user(&self, name: &str, now: SystemTime) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`] when the id or one of the names is taken, [`StoreErrorKind::Unavailable`] when
    /// it could not be written.
    async fn insert_user(&self, user: UserRecord, now: SystemTime) -> Result<(), StoreError>;
}

#[async_trait]
impl<T: KeyStore + ?Sized> KeyStore for Arc<T> {
    fn peek_key(&self, digest: &KeyDigest, now: SystemTime) -> Peek<KeyRecord> {
        (**self).peek_key(digest, now)
    }

    async fn find_key(
        &self,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        (**self).find_key(digest, now).await
    }

    async fn insert_key(&self, record: KeyRecord, now: SystemTime) -> Result<(), StoreError> {
        (**self).insert_key(record, now).await
    }

    async fn list_keys(&self, owner: &Subject, now: SystemTime) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        (**self).list_keys(owner, now).await
    }

    async fn revoke_key(&self, owner: &Subject, id: &str, now: SystemTime) -> Result<(), StoreError> {
        (**self).revoke_key(owner, id, now).await
    }
}

#[async_trait]
impl<T: UserStore + ?Sized> UserStore for Arc<T> {
    fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
        (**self).peek_user(name, now)
    }

    async fn find_user(&self, name: &str, now: SystemTime) -> Result<Option<Arc<UserRecord>>, StoreError> {
        (**self).find_user(name, now).await
    }

    async fn insert_user(&self, user: UserRecord, now: SystemTime) -> Result<(), StoreError> {
        (**self).insert_user(user, now).await
    }
}
