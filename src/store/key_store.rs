use super::{KeyDigest, KeyRecord, Peek, StoreError, StoreErrorKind};
use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

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

    /// The record with that id, where that owner has it.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the store cannot tell.
    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
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
    async fn list_keys(
        &self,
        owner: &Subject,
        now: SystemTime,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError>;

    /// Gives a key of that owner another name.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when the owner has no such key; [`StoreErrorKind::Unavailable`] when it could not be
    /// written.
    async fn rename_key(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Puts a successor in the place of a key of that owner, which goes on working until `until`, or its own expiry where that
    /// is earlier ([`KeyRecord::superseded`]). Of several concurrent rotations of a key one wins.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when the owner has no such key, or it is revoked, expired or superseded already;
    /// [`StoreErrorKind::Exists`] when the successor's id or digest is taken; [`StoreErrorKind::Unavailable`] when it could not
    /// be written.
    async fn rotate_key(
        &self,
        owner: &Subject,
        id: &str,
        successor: KeyRecord,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Revokes a key of that owner. A key that is revoked already stays as it is, with its first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when the owner has no such key, somebody else's included;
    /// [`StoreErrorKind::Unavailable`] when it could not be written.
    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Makes a key be found by another digest, and by the former one no more: a pepper was added, or an imported key used for
    /// the first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when no key has the former digest, [`StoreErrorKind::Exists`] when the other one is taken,
    /// [`StoreErrorKind::Unavailable`] when it could not be written.
    async fn replace_key_digest(
        &self,
        from: &KeyDigest,
        to: KeyDigest,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Takes down when keys were last used, by digest. A time before one that is known, or a key that is gone, changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when it could not be written.
    async fn note_key_uses(
        &self,
        uses: &[(KeyDigest, SystemTime)],
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// The next of the numbers 1, 2, 3, … for keys whose ids count. None is given twice; some may be left out.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when there is none to be had; a store need not count.
    async fn next_key_number(&self, now: SystemTime) -> Result<u64, StoreError> {
        let _ = now;
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    /// Removes at most `most` records of keys that were revoked or had expired before `before`, and says how many.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when they could not be removed.
    async fn purge_keys(
        &self,
        before: SystemTime,
        most: usize,
        now: SystemTime,
    ) -> Result<usize, StoreError>;
}
