use super::retry::{TRIES, contended, is_replaced, missing};
use super::{KeyDigest, KeyRecord, KeyStore, StoreError};
use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// Keeps API keys: what making, listing, rotating and revoking them takes.
///
/// Four methods are required: read, insert, replace if unchanged, list by page. The others are
/// provided on top of them, and keep their promises by [`replace_key`](Self::replace_key) alone; a
/// store that can do one of them in a single statement does so.
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::{Arc, Mutex};
/// use std::time::UNIX_EPOCH;
/// use tower_auth::Subject;
/// use tower_auth::store::{
///     KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, StoreError, StoreErrorKind, conformance,
/// };
///
/// /// Keeps keys in one list. Whoever holds its lock makes one step, as a transaction does.
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<KeyRecord>>);
///
/// fn add(keys: &mut Vec<KeyRecord>, record: KeyRecord) -> Result<(), StoreError> {
///     if keys.iter().any(|key| key.id == record.id || key.digest == record.digest) {
///         return Err(StoreError::new(StoreErrorKind::Exists));
///     }
///     keys.push(record);
///     Ok(())
/// }
///
/// #[async_trait]
/// impl KeyStore for Kept {
///     async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
///         let keys = self.0.lock().unwrap();
///         Ok(keys.iter().find(|key| key.digest == *digest).cloned().map(Arc::new))
///     }
/// }
///
/// #[async_trait]
/// impl ManagedKeyStore for Kept {
///     async fn find_owned_key(
///         &self,
///         owner: &Subject,
///         id: &str,
///     ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
///         let keys = self.0.lock().unwrap();
///         let found = keys.iter().find(|key| *key.id == *id && key.owner == *owner);
///         Ok(found.cloned().map(Arc::new))
///     }
///
///     async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError> {
///         add(&mut self.0.lock().unwrap(), record)
///     }
///
///     async fn replace_key(
///         &self,
///         former: &KeyRecord,
///         next: KeyRecord,
///         successor: Option<KeyRecord>,
///     ) -> Result<(), StoreError> {
///         let mut keys = self.0.lock().unwrap();
///         let mut after = keys.clone();
///         after.retain(|key| key != former);
///         if after.len() == keys.len() {
///             return Err(StoreError::new(StoreErrorKind::Missing));
///         }
///         add(&mut after, next)?;
///         if let Some(successor) = successor {
///             add(&mut after, successor)?;
///         }
///         *keys = after; // all of it, or as above none
///         Ok(())
///     }
///
///     async fn list_keys(
///         &self,
///         owner: &Subject,
///         after: Option<&KeyRecord>,
///         most: usize,
///     ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
///         let place = |key: &KeyRecord| (key.created, key.id.clone());
///         let mut keys = self.0.lock().unwrap().clone();
///         keys.retain(|key| key.owner == *owner && Some(place(key)) > after.map(place));
///         keys.sort_by_key(place);
///         Ok(keys.into_iter().take(most).map(Arc::new).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Kept::default();
/// let (anna, digest) = (Subject::user("7"), KeyDigest::new("sha256", [7; 32]));
/// let record = KeyRecord::new("1", anna.clone(), "ci", "egret_7Zk…", digest.clone(), UNIX_EPOCH);
/// store.insert_key(record).await?;
///
/// let refused = store.revoke_key(&Subject::user("8"), "1", UNIX_EPOCH).await.unwrap_err();
/// assert_eq!(refused.kind(), StoreErrorKind::Missing);
/// store.revoke_key(&anna, "1", UNIX_EPOCH).await?; // provided
/// assert!(store.find_key(&digest).await?.is_some_and(|key| key.revoked.is_some()));
///
/// // All promises are checked (feature `test-util`).
/// conformance::managed_key_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ManagedKeyStore: KeyStore {
    /// The record with that id, where that owner has it, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError>;

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when its id or its digest is
    /// taken, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError>;

    /// Puts `next` in the place of a record that is still as it was read, and adds `successor`
    /// where there is one, in one atomic step: of concurrent replacements of one record one is
    /// made.
    ///
    /// - `next` has the id and the owner of `former`; its digest may be another one.
    /// - A last use that was noted meanwhile is no change
    ///   ([`is_unchanged_from`](KeyRecord::is_unchanged_from)), and the later one stays. A store
    ///   that counts it as a change is as good.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no record like
    /// `former`; [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the digest of
    /// `next`, or id or digest of the successor, is another key's;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn replace_key(
        &self,
        former: &KeyRecord,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) -> Result<(), StoreError>;

    /// At most `most` keys of an owner, revoked and expired ones included, oldest first, by
    /// [`created`](KeyRecord::created) and then id (by bytes): those after `after`, which need not
    /// be there any more.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_keys(
        &self,
        owner: &Subject,
        after: Option<&KeyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError>;

    /// Gives a key of that owner another name.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when the owner has no such key;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn rename_key(&self, owner: &Subject, id: &str, name: &str) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = owned(self, owner, id).await?;
            let mut next = KeyRecord::clone(&former);
            next.name = name.into();
            if is_replaced(self.replace_key(&former, next, None).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Puts a successor in the place of a key of that owner, which goes on working until `until`,
    /// or its own expiry where that is earlier ([`KeyRecord::superseded`]). Of several concurrent
    /// rotations of a key one wins.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when the owner has no such key,
    /// or it is superseded, revoked or, at `now`, expired already;
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the successor's id or digest
    /// is taken; [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn rotate_key(
        &self,
        owner: &Subject,
        id: &str,
        successor: KeyRecord,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = owned(self, owner, id).await?;
            if !former.is_active(now) || former.successor.is_some() {
                return Err(missing());
            }
            let next = KeyRecord::clone(&former).superseded(&*successor.id, until);
            let rotated = self
                .replace_key(&former, next, Some(successor.clone()))
                .await;
            if is_replaced(rotated)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Revokes a key of that owner. One that is revoked already stays as it is, with its first
    /// time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when the owner has no such key,
    /// somebody else's included;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = owned(self, owner, id).await?;
            if former.revoked.is_some() {
                return Ok(());
            }
            let next = KeyRecord::clone(&former).revoked(at);
            if is_replaced(self.replace_key(&former, next, None).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Makes a key be found by another digest, and by the former one no more: a pepper was added,
    /// or an imported key used for the first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when no key has the former
    /// digest, [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the other one is
    /// taken, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not
    /// be written.
    async fn replace_key_digest(&self, from: &KeyDigest, to: KeyDigest) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = found(self, from).await?.ok_or_else(missing)?;
            let mut next = KeyRecord::clone(&former);
            next.digest = to.clone();
            if is_replaced(self.replace_key(&former, next, None).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Takes down when keys were last used, by digest. A time before one that is known, or a key
    /// that is gone, changes nothing. A key that somebody changes at that moment may be passed
    /// over: a note keeps nobody from revoking one.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written; a part may have been.
    async fn note_key_uses(&self, uses: &[(KeyDigest, SystemTime)]) -> Result<(), StoreError> {
        for (digest, at) in uses {
            note_use(self, digest, *at).await?;
        }
        Ok(())
    }

    /// The next of the numbers 1, 2, 3, … for keys whose ids count. None is given twice; some may
    /// be left out.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when there is none to be
    /// had; a store need not count.
    async fn next_key_number(&self) -> Result<u64, StoreError> {
        Err(StoreError::unavailable("this store does not count keys"))
    }

    /// The record with that id, whosever it is, revoked and expired ones included: for operators,
    /// who know a key by the id that a log tells.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell; a store need not find keys in this way.
    async fn find_key_by_id(&self, id: &str) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let _ = id;
        Err(StoreError::unavailable(
            "this store finds a key by its owner and its id alone",
        ))
    }

    /// At most `most` keys of all owners, revoked and expired ones included, in the order of their
    /// ids (by bytes), those after the id `after`: for operators.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell; a store need not list keys in this way.
    async fn list_all_keys(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let _ = (after, most);
        Err(StoreError::unavailable(
            "this store lists the keys of one owner alone",
        ))
    }

    /// Removes at most `most` records of keys that were revoked or had expired before `before`, and
    /// says how many. A store need not forget: then it removes none.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// removed.
    async fn purge_keys(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        let _ = (before, most);
        Ok(0)
    }
}

async fn owned<S: ManagedKeyStore + ?Sized>(
    store: &S,
    owner: &Subject,
    id: &str,
) -> Result<Arc<KeyRecord>, StoreError> {
    store.find_owned_key(owner, id).await?.ok_or_else(missing)
}

/// The key of that digest. It is read once more by its id, because what finds keys may answer from
/// a cache, which would never be replaced.
async fn found<S: ManagedKeyStore + ?Sized>(
    store: &S,
    digest: &KeyDigest,
) -> Result<Option<Arc<KeyRecord>>, StoreError> {
    let Some(found) = store.find_key(digest).await? else {
        return Ok(None);
    };
    let record = store.find_owned_key(&found.owner, &found.id).await?;
    Ok(record.filter(|record| record.digest == *digest))
}

async fn note_use<S: ManagedKeyStore + ?Sized>(
    store: &S,
    digest: &KeyDigest,
    at: SystemTime,
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let Some(former) = found(store, digest).await? else {
            return Ok(());
        };
        // A use that comes late, from another node or a slower batch, must not set the time back.
        if former.last_used.get() > Some(at) {
            return Ok(());
        }
        let next = KeyRecord::clone(&former);
        next.last_used.set(at);
        if is_replaced(store.replace_key(&former, next, None).await)? {
            return Ok(());
        }
    }
    Err(contended())
}
