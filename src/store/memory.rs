use super::{KeyDigest, KeyRecord, KeyStore, Peek, StoreError, StoreErrorKind, UserRecord, UserStore};
use crate::principal::Subject;
use async_trait::async_trait;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

/// Keys and users in memory: for tests and demos, and for services whose keys come from configuration.
///
/// Clones share their contents. Nothing survives the process, and nothing is ever evicted.
///
/// ```
/// use tower_auth::store::{KeyDigest, KeyRecord, KeyStore, Memory, StoreErrorKind};
/// use tower_auth::Subject;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Memory::new();
/// let now = std::time::UNIX_EPOCH;
/// let record = |id| KeyRecord::new(id, Subject::user("7"), "ci", "egret_7Zk…", KeyDigest::new("sha256", [7; 32]), now);
///
/// store.insert_key(record("1"), now).await?;
/// let taken = store.insert_key(record("2"), now).await.unwrap_err();
/// assert_eq!(taken.kind(), StoreErrorKind::Exists);
/// # Ok::<(), tower_auth::store::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

/// Locks are held for a look-up or a write in memory only, never over an await.
#[derive(Default)]
struct Shared {
    keys: RwLock<Keys>,
    users: RwLock<Users>,
}

#[derive(Default)]
struct Keys {
    by_digest: HashMap<[u8; 32], Arc<KeyRecord>, BuildHasherDefault<DigestHasher>>,
    digests: HashMap<Box<str>, [u8; 32]>,
}

#[derive(Default)]
struct Users {
    by_name: HashMap<Box<str>, Arc<UserRecord>>,
    ids: HashSet<Subject>,
}

impl Keys {
    fn find(&self, digest: &KeyDigest) -> Option<&Arc<KeyRecord>> {
        self.by_digest.get(digest.bytes()).filter(|record| record.digest().is_like(digest))
    }
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // A panic while a lock is held cannot leave half a change: each write is checked first and then made by
    // calls that do not panic. So a poisoned lock is as good as any other.
    fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.0.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn users(&self) -> RwLockReadGuard<'_, Users> {
        self.0.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn users_mut(&self) -> RwLockWriteGuard<'_, Users> {
        self.0.users.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for Memory {
    fn peek_key(&self, digest: &KeyDigest, _now: SystemTime) -> Peek<KeyRecord> {
        self.keys().find(digest).map_or(Peek::Absent, |record| Peek::Found(Arc::clone(record)))
    }

    async fn find_key(
        &self,
        digest: &KeyDigest,
        _now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().find(digest).cloned())
    }

    async fn insert_key(&self, record: KeyRecord, _now: SystemTime) -> Result<(), StoreError> {
        let mut keys = self.keys_mut();
        let digest = *record.digest().bytes();
        if keys.digests.contains_key(record.id()) || keys.by_digest.contains_key(&digest) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        keys.digests.insert(record.id().into(), digest);
        keys.by_digest.insert(digest, Arc::new(record));
        Ok(())
    }

    async fn list_keys(&self, owner: &Subject, _now: SystemTime) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let keys = self.keys();
        let mut owned: Vec<_> =
            keys.by_digest.values().filter(|record| record.owner() == owner).cloned().collect();
        owned.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(owned)
    }

    async fn revoke_key(&self, owner: &Subject, id: &str, now: SystemTime) -> Result<(), StoreError> {
        let mut keys = self.keys_mut();
        let digest = keys.digests.get(id).copied();
        let record = digest.and_then(|digest| keys.by_digest.get_mut(&digest));
        let record = record.filter(|record| record.owner() == owner);
        let record = record.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
        *record = Arc::new(KeyRecord::clone(record).revoked(now));
        Ok(())
    }
}

#[async_trait]
impl UserStore for Memory {
    fn peek_user(&self, name: &str, _now: SystemTime) -> Peek<UserRecord> {
        match self.users().by_name.get(name) {
            Some(user) => Peek::Found(Arc::clone(user)),
            None => Peek::Absent,
        }
    }

    async fn find_user(&self, name: &str, _now: SystemTime) -> Result<Option<Arc<UserRecord>>, StoreError> {
        Ok(self.users().by_name.get(name).cloned())
    }

    async fn insert_user(&self, user: UserRecord, _now: SystemTime) -> Result<(), StoreError> {
        let mut users = self.users_mut();
        if users.ids.contains(user.id()) || user.names().any(|name| users.by_name.contains_key(name)) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        let user = Arc::new(user);
        users.ids.insert(user.id().clone());
        for name in user.names() {
            users.by_name.insert(name.into(), Arc::clone(&user));
        }
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("keys", &self.keys().by_digest.len())
            .field("users", &self.users().ids.len())
            .finish()
    }
}

/// A digest is its own hash. An attacker cannot choose which keys are stored, so collisions cannot be planted.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
