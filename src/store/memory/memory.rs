use super::keys::Keys;
use super::tokens::Tokens;
use super::users::Users;
use crate::store::denials::Denials;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Keys, users and tokens in memory: for tests and demos, and for services whose keys come from configuration.
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
pub struct Memory(pub(super) Arc<Shared>);

/// Locks are held for a look-up or a write in memory only, never over an await.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) keys: RwLock<Keys>,
    pub(super) users: RwLock<Users>,
    pub(super) tokens: RwLock<Tokens>,
    /// Apart from the rest, because every request with a token of ours looks here.
    pub(super) denials: Denials,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

// A panic while a lock is held cannot leave half a change: each write is checked first and then made by calls that do not
// panic. So a poisoned lock is as good as any other.

pub(super) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("keys", &read(&self.0.keys).len())
            .field("users", &read(&self.0.users).len())
            .field("revoked", &self.0.denials.len())
            .finish_non_exhaustive()
    }
}
